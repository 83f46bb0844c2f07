#pragma once

#include <espalier/kernels/elementwise.h>

namespace espalier::kernels {

// x [N, C, H, W] in channels-last order, with exactly that order's strides: x's own elements where they lie
// so, else a copy.
inline Array channels_last(const Array& x) {
  Strides strides = channels_last_strides(x.shape);
  if (x.is_channels_last()) return x.view(x.shape, strides, x.offset);
  Array y = Array::empty(x.shape, x.dtype, strides);
  copy(y, x);
  return y;
}

}  // namespace espalier::kernels
