#pragma once

#include <espalier/kernels/elementwise.h>

namespace espalier::kernels {

// A row-major copy of x in another dtype.
inline Array converted(const Array& x, DType dtype) {
  Array y = Array::empty(x.shape, dtype);
  copy(y, x);
  return y;
}

}  // namespace espalier::kernels
