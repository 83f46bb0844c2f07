#include <espalier/nn/activation.h>
#include <espalier/ops/activation.h>

namespace espalier::nn {

Tensor ReLU::forward(const Tensor& x) const { return x.relu(); }
Tensor Sigmoid::forward(const Tensor& x) const { return x.sigmoid(); }
Tensor Tanh::forward(const Tensor& x) const { return x.tanh(); }
Tensor SiLU::forward(const Tensor& x) const { return silu(x); }
Tensor GELU::forward(const Tensor& x) const { return gelu(x, {.approximate = approximate}); }

std::string GELU::extra_repr() const { return concat("approximate='", approximate, "'"); }

}  // namespace espalier::nn
