#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier::detail {

// What operations ask of a tensor that must be able to hold fractions.
inline void check_floating(const char* op, const Tensor& x) {
  require<DTypeError>(x.is_floating_point(), op, ": needs a floating point tensor, got ", x.dtype(),
                      "; convert it with to(float32)");
}

}  // namespace espalier::detail
