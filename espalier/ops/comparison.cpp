#include <espalier/ops/comparison.h>

#include <espalier/ops/elementwise.h>

namespace espalier {
namespace {

Tensor compare(const char* op, const kernels::Row& row, const Tensor& a, const Tensor& b) {
  Array y = detail::result(op, a, b, DType::boolean);
  kernels::elementwise(row, kernels::compute_type(detail::result_type(a, b)), y, {a.array(), b.array()});
  return record(op, {a, b}, y);
}

Tensor compare(const char* op, const kernels::Row& row, const Tensor& a, Scalar b) {
  Array y = Array::empty_like(a.array(), DType::boolean);
  kernels::elementwise(row, kernels::compute_type(promote_types(a.dtype(), b)), y, {a.array(), b});
  return record(op, {a}, y, {{"other", b}});
}

Tensor examine(const char* op, const kernels::Row& row, const Tensor& x, DType compute) {
  Array y = Array::empty_like(x.array(), DType::boolean);
  kernels::elementwise(row, compute, y, {x.array()});
  return record(op, {x}, y);
}
// float32 and float64 hold what bfloat16 and integers hold, as far as these questions go.
Tensor examine(const char* op, const kernels::Row& row, const Tensor& x) {
  return examine(op, row, x, kernels::compute_type(detail::floating_type(x.dtype())));
}

}  // namespace

Tensor eq(const Tensor& a, const Tensor& b) { return compare("eq", kernels::eq, a, b); }
Tensor ne(const Tensor& a, const Tensor& b) { return compare("ne", kernels::ne, a, b); }
Tensor lt(const Tensor& a, const Tensor& b) { return compare("lt", kernels::lt, a, b); }
Tensor le(const Tensor& a, const Tensor& b) { return compare("le", kernels::le, a, b); }
Tensor gt(const Tensor& a, const Tensor& b) { return compare("gt", kernels::gt, a, b); }
Tensor ge(const Tensor& a, const Tensor& b) { return compare("ge", kernels::ge, a, b); }
Tensor eq(const Tensor& a, Scalar b) { return compare("eq", kernels::eq, a, b); }
Tensor ne(const Tensor& a, Scalar b) { return compare("ne", kernels::ne, a, b); }
Tensor lt(const Tensor& a, Scalar b) { return compare("lt", kernels::lt, a, b); }
Tensor le(const Tensor& a, Scalar b) { return compare("le", kernels::le, a, b); }
Tensor gt(const Tensor& a, Scalar b) { return compare("gt", kernels::gt, a, b); }
Tensor ge(const Tensor& a, Scalar b) { return compare("ge", kernels::ge, a, b); }

Tensor isnan(const Tensor& x) { return examine("isnan", kernels::isnan, x); }
Tensor isinf(const Tensor& x) { return examine("isinf", kernels::isinf, x); }
Tensor isfinite(const Tensor& x) { return examine("isfinite", kernels::isfinite, x); }

Tensor logical_not(const Tensor& x) {
  return examine("logical_not", kernels::logical_not, x, kernels::compute_type(x.dtype()));
}
Tensor logical_and(const Tensor& a, const Tensor& b) {
  return compare("logical_and", kernels::logical_and, a, b);
}
Tensor logical_or(const Tensor& a, const Tensor& b) {
  return compare("logical_or", kernels::logical_or, a, b);
}
Tensor logical_xor(const Tensor& a, const Tensor& b) {
  return compare("logical_xor", kernels::logical_xor, a, b);
}

Tensor Tensor::eq(const Tensor& other) const { return espalier::eq(*this, other); }
Tensor Tensor::ne(const Tensor& other) const { return espalier::ne(*this, other); }
Tensor Tensor::lt(const Tensor& other) const { return espalier::lt(*this, other); }
Tensor Tensor::le(const Tensor& other) const { return espalier::le(*this, other); }
Tensor Tensor::gt(const Tensor& other) const { return espalier::gt(*this, other); }
Tensor Tensor::ge(const Tensor& other) const { return espalier::ge(*this, other); }
Tensor Tensor::eq(Scalar other) const { return espalier::eq(*this, other); }
Tensor Tensor::ne(Scalar other) const { return espalier::ne(*this, other); }
Tensor Tensor::lt(Scalar other) const { return espalier::lt(*this, other); }
Tensor Tensor::le(Scalar other) const { return espalier::le(*this, other); }
Tensor Tensor::gt(Scalar other) const { return espalier::gt(*this, other); }
Tensor Tensor::ge(Scalar other) const { return espalier::ge(*this, other); }
Tensor Tensor::isnan() const { return espalier::isnan(*this); }
Tensor Tensor::isinf() const { return espalier::isinf(*this); }
Tensor Tensor::isfinite() const { return espalier::isfinite(*this); }
Tensor Tensor::logical_not() const { return espalier::logical_not(*this); }

}  // namespace espalier
