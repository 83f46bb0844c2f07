#pragma once

#include <espalier/autograd/tensor.h>

// The functions between layers; integers and bool are taken as float32, except by relu.
namespace espalier {

Tensor relu(const Tensor& x);  // NaN stays

struct GeluOptions {
  const char* approximate = "none";  // or "tanh"
};
// x Φ(x), Φ being the distribution function of the standard normal.
Tensor gelu(const Tensor& x, GeluOptions options = {});
Tensor silu(const Tensor& x);  // x sigmoid(x)

struct SoftplusOptions {
  double beta = 1;
  double threshold = 20;  // above it, beta x stands for log(1 + exp(beta x))
};
Tensor softplus(const Tensor& x, SoftplusOptions options = {});  // log(1 + exp(beta x)) / beta

Tensor leaky_relu(const Tensor& x, double negative_slope = 0.01);
Tensor elu(const Tensor& x, double alpha = 1);  // x, or alpha (exp(x) - 1) below 0
// x kept within the bounds; the gradient is 0 on them as well as outside.
Tensor hardtanh(const Tensor& x, double min_val = -1, double max_val = 1);
Tensor relu6(const Tensor& x);

}  // namespace espalier
