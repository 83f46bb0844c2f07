#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::kernels {

// e^x over its sum along `dim`, or the logarithm of that. Floating point; `out` and `x` are dense with the
// same strides.
void softmax(Array& out, const Array& x, int dim, bool log);

// The same for memory [outer, n, inner].
inline constinit Kernel<void(DType, void* out, const void* x, int64_t outer, int64_t n, int64_t inner,
                             bool log)>
    softmax_lines;

}  // namespace espalier::kernels
