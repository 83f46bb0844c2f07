#pragma once

#include <espalier/autograd/record.h>
#include <espalier/kernels/elementwise.h>

#include <initializer_list>

// What elementwise operations share.
namespace espalier::detail {

// The dtype of `a op b`: a tensor without dimensions counts like a number, its width has no say.
DType result_type(const Tensor& a, const Tensor& b);

// Not initialised, of the shape that the inputs broadcast to and in the memory order of the first dense one
// that has it.
Array result(const char* op, const Tensor& a, const Tensor& b, DType dtype);
Array result(const char* op, const Tensor& a, const Tensor& b, const Tensor& c, DType dtype);

// The dtype of functions such as exp and of true division: floating point stays, anything else becomes
// float32.
inline DType floating_type(DType d) { return is_floating_point(d) ? d : DType::float32; }

// `other` as the source of a write into `target`: a copy where it shares memory with it, other than being it.
Array apart_from(const Array& target, const Array& other);

// What an in-place operation asks of its operand: the result fits into the target's shape and kind of dtype.
void check_fits(const char* op, const Tensor& target, const Shape& other, DType result);

// For backwards that need a tensor only when another input has a gradient.
inline Saved saved_if(bool wanted, const Tensor& t) { return saved(wanted ? t : Tensor()); }

// An operation of one input whose result has its shape and order in memory.
template <class Backward>
Tensor unary(const char* op, const kernels::Row& row, const Tensor& x, DType dtype, Backward&& backward) {
  Array y = Array::empty_like(x.array(), dtype);
  kernels::elementwise(row, kernels::compute_type(dtype), y, {x.array()});
  return record(op, {x}, std::move(y), {}, std::forward<Backward>(backward));
}
// The same for functions with results that aren't integers.
template <class Backward>
Tensor unary(const char* op, const kernels::Row& row, const Tensor& x, Backward&& backward) {
  return unary(op, row, x, floating_type(x.dtype()), std::forward<Backward>(backward));
}

// row(g, t) in one pass over memory, for a backward whose own derivative isn't wanted.
Tensor one_pass(const kernels::Row& row, const Tensor& g, const Tensor& t);

}  // namespace espalier::detail
