// expect: decomposes into 3 elements
#include <espalier/nn/module.h>
namespace nn = espalier::nn;

class Head : public nn::Module<Head> {
 public:
  explicit Head(int width) : width_(width) {}

 private:
  int width_;
  nn::Parameter scale_;
#ifdef CONTROL
  ESPALIER_FIELDS(Head, width_, scale_)
#else
  nn::Parameter forgotten_;
  ESPALIER_FIELDS(Head, width_, scale_)
#endif
};
