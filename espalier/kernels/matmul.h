#pragma once

#include <espalier/core/array.h>

namespace espalier::kernels {

// out[…, m, n] = a[…, m, k] · b[…, k, n] (+ bias[n]): one dtype, the leading dimensions of a and b broadcast
// to out's. `out` is row-major; a and b may have any strides and are not copied, but bfloat16 ones that are
// neither row-major nor the transpose of a row-major matrix.
void matmul(Array& out, const Array& a, const Array& b, const Array* bias = nullptr);

}  // namespace espalier::kernels
