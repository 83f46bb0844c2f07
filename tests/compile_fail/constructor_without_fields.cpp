// expect: a module with a constructor or private members lists them: ESPALIER_FIELDS
#include <espalier/nn/module.h>
namespace nn = espalier::nn;

struct Head : nn::Module<Head> {
  explicit Head(int width) : width(width) {}
  int width;
  nn::Parameter scale;
#ifdef CONTROL
  ESPALIER_FIELDS(Head, width, scale)
#endif
};

auto parameters() { return Head(3).parameters(); }
