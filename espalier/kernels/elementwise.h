#pragma once

#include <espalier/core/array.h>
#include <espalier/core/scalar.h>
#include <espalier/kernels/dispatch.h>

#include <initializer_list>

// Arithmetic element by element: out[i] = f(a[i], b[i], …), the inputs broadcast to the output's shape.
// Inputs and output may have any dtypes; what is between is computed in one of three types, float, double and
// int64_t.
namespace espalier::kernels {

// What an elementwise operation computes for n consecutive elements. `type` (float32, float64 or int64) is
// that of all inputs and of the result; comparisons give 1 and 0. The result may take the place of an input.
using Row = Kernel<void(DType type, int64_t n, void* out, const void* const* in)>;

// n elements of dtype `from`, `from_step` apart (0: the same one), converted to `to`.
inline constinit Kernel<void(DType from, DType to, int64_t n, const void* in, int64_t in_step, void* out,
                             int64_t out_step)>
    cast_row;

// An input: an array or a number.
struct Operand {
  Operand(const Array& a) : array(&a), number(0) {}
  Operand(Scalar s) : array(nullptr), number(s) {}
  const Array* array;
  Scalar number;
};

// float32 for bfloat16, int64 for integers and bool: what elements of `d` are computed in.
DType compute_type(DType d);

// At most three inputs; `out` may be one of them, but must not overlap one otherwise.
void elementwise(const Row& row, DType compute, Array& out, std::initializer_list<Operand> in);

// Converts as needed; `in` is broadcast to the shape of `out`.
void copy(Array& out, const Array& in);
void fill(Array& out, Scalar value);

// For any compute type.
inline constinit Row add, sub, mul;
// a + b * c, for any compute type
inline constinit Row add_scaled;
// For float32 and float64.
inline constinit Row div;

}  // namespace espalier::kernels
