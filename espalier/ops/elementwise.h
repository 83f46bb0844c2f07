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

}  // namespace espalier::detail
