// expect: TensorModule
#include <espalier/nn/sequential.h>
namespace nn = espalier::nn;

struct Twice : nn::Module<Twice> {
#ifdef CONTROL
  espalier::Tensor forward(const espalier::Tensor& x) { return x; }
#else
  espalier::Tensor forward(const espalier::Tensor& x, int times) { return times ? x : x; }
#endif
};

nn::Sequential net{Twice{}, Twice{}};
