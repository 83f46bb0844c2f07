#pragma once

#include <espalier/autograd/tensor.h>
#include <espalier/core/pair.h>

namespace espalier {

// Pooling of x [N, C, H, W] or [C, H, W], floating point. Results keep the channels-last order of their
// input. A stride of 0 (the default) is the kernel's size. Padding is at most half of the kernel. With
// ceil_mode a last window that sticks out of the padded input counts, if it begins inside the input or its
// first padding.

struct MaxPool2dOptions {
  Pair stride = 0, padding = 0, dilation = 1;
  bool ceil_mode = false;
};
// The largest of each window; NaN where there is one. The gradient goes to the first of equals.
Tensor max_pool2d(const Tensor& x, Pair kernel_size, const MaxPool2dOptions& options = {});

struct AvgPool2dOptions {
  Pair stride = 0, padding = 0;
  bool ceil_mode = false;
  bool count_include_pad = true;  // padding counts as zeros, what lies beyond it (ceil_mode) does not
  int64_t divisor_override = 0;   // what to divide by; 0: the number of elements of the window
};
Tensor avg_pool2d(const Tensor& x, Pair kernel_size, const AvgPool2dOptions& options = {});

// Windows i * in / out (rounded down) to (i + 1) * in / out (rounded up), so that the result is
// `output_size`.
Tensor adaptive_avg_pool2d(const Tensor& x, Pair output_size);

}  // namespace espalier
