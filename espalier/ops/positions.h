#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier::detail {

// Positions in a dimension of size n as kernels want them: int64, in row-major order, all in [0, n). Those
// `below` zero, if allowed at all, count from the end.
enum class Below { refused, from_end };
Array checked_positions(const char* op, const Tensor& index, int dim, int64_t n,
                        Below below = Below::refused);

Array zeros_array(const Shape& shape, DType dtype);

}  // namespace espalier::detail
