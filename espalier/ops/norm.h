#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

struct BatchNormOptions {
  bool training = false;  // normalise with the batch's own statistics, and move the running ones towards them
  double momentum = 0.1;
  double eps = 1e-5;
};
// Normalises each channel of x [N, C], [N, C, L] or [N, C, H, W], then multiplies by weight [C] and adds bias
// [C] (either may be undefined). running_mean and running_var [C] are written when training; they may be
// undefined then. The batch's variance is biased, what goes into running_var is not. Training needs more than
// one value per channel.
Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, const BatchNormOptions& options = {});

// Normalises over the last dimensions, whose sizes are normalized_shape; weight and bias have that shape or
// are undefined.
Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight = {},
                  const Tensor& bias = {}, double eps = 1e-5);

}  // namespace espalier
