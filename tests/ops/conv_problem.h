#pragma once

#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>

namespace espalier {

inline Tensor channels_last(const Tensor& x) {
  return x.permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2});
}

// A convolution of random numbers in float64, and a gradient of its result.
struct ConvProblem {
  ConvProblem(const Shape& x_shape, const Shape& w_shape, const Conv2dOptions& o) : options(o) {
    manual_seed(5);
    x = randn(x_shape, {.dtype = float64});
    w = randn(w_shape, {.dtype = float64});
    b = randn({w_shape[0]}, {.dtype = float64});
    g = randn(conv2d(x, w, b, options).shape(), {.dtype = float64});
  }
  Conv2dOptions options;
  Tensor x, w, b, g;
};

}  // namespace espalier
