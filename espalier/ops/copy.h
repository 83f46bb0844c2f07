#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

// The same values in new memory; the order in memory of a dense tensor stays.
Tensor clone(const Tensor& x);
// In row-major order: x itself where it is already.
Tensor contiguous(const Tensor& x);
// Converted to `dtype`: x itself where it is already. Floating point values are cut towards zero by an
// integer dtype.
Tensor to(const Tensor& x, DType dtype);

}  // namespace espalier
