#include <espalier/nn/activation.h>
#include <espalier/ops/activation.h>

namespace espalier::nn {

Tensor ReLU::forward(const Tensor& x) const { return x.relu(); }
Tensor Sigmoid::forward(const Tensor& x) const { return x.sigmoid(); }
Tensor Tanh::forward(const Tensor& x) const { return x.tanh(); }
Tensor SiLU::forward(const Tensor& x) const { return silu(x); }
Tensor GELU::forward(const Tensor& x) const { return gelu(x, {.approximate = approximate}); }
Tensor Softmax::forward(const Tensor& x) const { return x.softmax(dim); }
Tensor LogSoftmax::forward(const Tensor& x) const { return x.log_softmax(dim); }

std::string GELU::extra_repr() const { return concat("approximate='", approximate, "'"); }
std::string Softmax::extra_repr() const { return concat("dim=", dim); }
std::string LogSoftmax::extra_repr() const { return concat("dim=", dim); }

}  // namespace espalier::nn
