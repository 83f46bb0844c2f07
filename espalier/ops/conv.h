#pragma once

#include <espalier/autograd/tensor.h>
#include <espalier/core/pair.h>

namespace espalier {

struct Conv2dOptions {
  Pair stride = 1, padding = 0, dilation = 1;
  int64_t groups = 1;
};

// Convolution of x [N, C, H, W] (or [C, H, W]) with weight [O, C / groups, KH, KW] and bias [O] or none.
// Floating point, one dtype. The result lies in channels-last order whatever the order of x.
Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias = {},
              const Conv2dOptions& options = {});

// Its adjoints, as PyTorch's torch.nn.grad has them: the gradient of an input of shape `input`, and of a
// weight of shape `weight`, from the gradient g of the result.
Tensor conv2d_input(const Shape& input, const Tensor& weight, const Tensor& g,
                    const Conv2dOptions& options = {});
Tensor conv2d_weight(const Tensor& x, const Shape& weight, const Tensor& g,
                     const Conv2dOptions& options = {});

}  // namespace espalier
