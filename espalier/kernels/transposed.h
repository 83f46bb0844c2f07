#pragma once

#include <espalier/core/array.h>

namespace espalier::kernels {

// The same matrix with rows for columns.
inline Array transposed(const Array& m) {
  return m.view({m.shape[1], m.shape[0]}, {m.strides[1], m.strides[0]}, m.offset);
}

}  // namespace espalier::kernels
