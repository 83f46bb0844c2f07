// expect: a module with a constructor or private members lists them: ESPALIER_FIELDS
#include <espalier/nn/module.h>
namespace nn = espalier::nn;

class Head : public nn::Module<Head> {
  nn::Parameter scale;
#ifdef CONTROL
  ESPALIER_FIELDS(Head, scale)
#endif
};

auto parameters() { return Head().parameters(); }
