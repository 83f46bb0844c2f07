// expect: decomposes into
#include <array>

#include <espalier/nn/module.h>
namespace nn = espalier::nn;

struct Net : nn::Module<Net> {
#ifdef CONTROL
  std::array<nn::Parameter, 3> weights;
#else
  nn::Parameter weights[3];
#endif
  int n = 1;
};

auto parameters() { return Net().parameters(); }
