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

// out[r * out_step + c] = in[c * in_step + r] elements of `size` bytes. Best with 16 rows r.
inline constinit Kernel<void(int64_t size, int64_t rows, int64_t columns, const void* in, int64_t in_step,
                             void* out, int64_t out_step)>
    transpose_strip;

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

// ---- for every compute type; integers wrap around
inline constinit Row add, sub, mul, add_scaled;  // add_scaled: a + b * c
inline constinit Row abs, sign, square, pow;
inline constinit Row maximum, minimum;         // NaN where either is
inline constinit Row clamp;                    // a between b and c
inline constinit Row remainder, floor_divide;  // as Python's % and //; integer division by 0 gives 0
inline constinit Row eq, ne, lt, le, gt, ge;
inline constinit Row logical_not, logical_and, logical_or, logical_xor;
inline constinit Row where;               // b where a is not 0, else c
inline constinit Row relu_row, add_relu;  // max(0, a), max(0, a + b)

// ---- for float32 and float64
inline constinit Row div, reciprocal, sqrt, rsqrt, exp, expm1, log, log1p, sin, cos, tanh, erf;
inline constinit Row floor, ceil, round, trunc;  // round: halves to even
inline constinit Row isnan, isinf, isfinite;
inline constinit Row lerp;  // a + c * (b - a)
inline constinit Row sigmoid, silu, gelu, gelu_tanh;
inline constinit Row softplus;         // of x, beta, threshold
inline constinit Row elu, leaky_relu;  // of x, alpha

// ---- gradients: of g and the operation's result
inline constinit Row relu_backward_row, sigmoid_grad, tanh_grad;
// of g and the operation's input
inline constinit Row silu_grad, gelu_grad, gelu_tanh_grad;

}  // namespace espalier::kernels
