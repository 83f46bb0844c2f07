#pragma once

#include <espalier/kernels/elementwise.h>

namespace espalier::kernels {

// x in row-major order: x itself where it is already, else a copy.
inline Array row_major(const Array& x) {
  if (x.is_contiguous()) return x;
  Array y = Array::empty(x.shape, x.dtype);
  copy(y, x);
  return y;
}

}  // namespace espalier::kernels
