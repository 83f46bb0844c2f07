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

// Whether 3×3 convolutions of stride 1 in float32 may use Winograd's algorithm where it is faster than the
// direct one (up to 2.5 times): on at first, read at each call. Its relative error is about 1e-6 instead of
// 2e-7, and an infinity or NaN reaches the whole 4×4 tile of results that it lies under.
void set_winograd(bool on);
bool winograd();

}  // namespace espalier
