#include <espalier/ops/select.h>

#include <cmath>
#include <limits>

#include <espalier/ops/arithmetic.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/elementwise.h>

namespace espalier {
namespace {

using detail::result_type;
using kernels::compute_type;

void check_condition(const char* op, const Tensor& condition) {
  require<DTypeError>(condition.dtype() == DType::boolean, op, ": the condition must be a bool tensor, got ",
                      condition.dtype(), "; compare it with something (x != 0)");
}

// The gradient of an operand of maximum or minimum: nothing where it loses, half where both are equal.
Tensor share(const Tensor& g, const Tensor& loses, const Tensor& equal) {
  return where(equal, g * 0.5, g).masked_fill(loses, 0);
}

Tensor extreme(const char* op, const kernels::Row& row, const Tensor& a, const Tensor& b, bool maximum) {
  DType dtype = result_type(a, b);
  Array y = detail::result(op, a, b, dtype);
  kernels::elementwise(row, compute_type(dtype), y, {a.array(), b.array()});
  return record(op, {a, b}, y, {}, [a = saved(a), b = saved(b), maximum](const Tensor& g) {
    Tensor equal = *a == *b, below = *a<*b, above = *a> * b;
    return grads(share(g, maximum ? below : above, equal), share(g, maximum ? above : below, equal));
  });
}

// A bound of clamp, or one that excludes nothing.
Scalar bound(std::optional<Scalar> given, DType compute, bool upper) {
  if (given) return *given;
  constexpr double inf = std::numeric_limits<double>::infinity();
  if (compute != DType::int64) return upper ? inf : -inf;
  return upper ? INT64_MAX : INT64_MIN;
}

DType clamp_type(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  require<ValueError>(min || max, "clamp: needs a minimum, a maximum or both");
  DType dtype = x.dtype();
  if (min) dtype = promote_types(dtype, *min);
  if (max) dtype = promote_types(dtype, *max);
  return dtype;
}

void clamp_into(Array& y, DType dtype, const Array& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  DType compute = compute_type(dtype);
  kernels::elementwise(kernels::clamp, compute, y,
                       {x, bound(min, compute, false), bound(max, compute, true)});
}

// Where x lies within the bounds, these included; there the gradient of clamp passes.
Tensor outside(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  if (!max) return (x >= *min).logical_not();
  if (!min) return (x <= *max).logical_not();
  return ((x >= *min) * (x <= *max)).logical_not();
}

// A number as the other operand of a tensor.
Tensor number(Scalar s) { return tensor(Nested(s)); }

}  // namespace

Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b) {
  check_condition("where", condition);
  DType dtype = result_type(a, b);
  Array y = detail::result("where", a, b, condition, dtype);
  kernels::elementwise(kernels::where, compute_type(dtype), y, {condition.array(), a.array(), b.array()});
  return record("where", {condition, a, b}, y, {}, [c = saved(condition)](const Tensor& g) {
    return grads(Tensor(), where(*c, g, 0), where(*c, 0, g));
  });
}
Tensor where(const Tensor& condition, const Tensor& a, Scalar b) { return where(condition, a, number(b)); }
Tensor where(const Tensor& condition, Scalar a, const Tensor& b) { return where(condition, number(a), b); }
Tensor where(const Tensor& condition, Scalar a, Scalar b) { return where(condition, number(a), number(b)); }

Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value) {
  check_condition("masked_fill", mask);
  bool whole = value.kind() != Scalar::Kind::floating || std::trunc(value.to_double()) == value.to_double();
  require<DTypeError>(x.is_floating_point() || whole, "masked_fill: a tensor of ", x.dtype(),
                      " can't hold the value ", value.to_double());
  Array y = detail::result("masked_fill", x, mask, x.dtype());
  kernels::elementwise(kernels::where, compute_type(x.dtype()), y, {mask.array(), value, x.array()});
  return record("masked_fill", {x, mask}, y, {{"value", value}},
                [mask = saved(mask)](const Tensor& g) { return grads(g.masked_fill(*mask, 0)); });
}
Tensor Tensor::masked_fill(const Tensor& mask, Scalar value) const {
  return espalier::masked_fill(*this, mask, value);
}

Tensor maximum(const Tensor& a, const Tensor& b) { return extreme("maximum", kernels::maximum, a, b, true); }
Tensor Tensor::maximum(const Tensor& other) const { return espalier::maximum(*this, other); }
Tensor minimum(const Tensor& a, const Tensor& b) { return extreme("minimum", kernels::minimum, a, b, false); }
Tensor Tensor::minimum(const Tensor& other) const { return espalier::minimum(*this, other); }

Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max) {
  DType dtype = clamp_type(x, min, max);
  Array y = Array::empty_like(x.array(), dtype);
  clamp_into(y, dtype, x.array(), min, max);
  DType compute = compute_type(dtype);
  return record(
      "clamp", {x}, y, {{"min", bound(min, compute, false)}, {"max", bound(max, compute, true)}},
      [x = saved(x), min, max](const Tensor& g) { return grads(g.masked_fill(outside(*x, min, max), 0)); });
}
Tensor Tensor::clamp(std::optional<Scalar> min, std::optional<Scalar> max) const {
  return espalier::clamp(*this, min, max);
}

Tensor& Tensor::clamp_(std::optional<Scalar> min, std::optional<Scalar> max) {
  DType dtype = clamp_type(*this, min, max);
  detail::check_fits("clamp_", *this, {}, dtype);
  Tensor mask = grad_enabled() && requires_grad() ? outside(detach(), min, max) : Tensor();
  DType compute = compute_type(dtype);
  return record_write(
      "clamp_", *this, {*this}, {{"min", bound(min, compute, false)}, {"max", bound(max, compute, true)}},
      [&] { clamp_into(body_->array, dtype, array(), min, max); },
      [mask](const Tensor& g) { return grads(g.masked_fill(mask, 0)); });
}

Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight) {
  DType dtype = detail::floating_type(promote_types(result_type(a, b), weight.dtype()));
  Array y = detail::result("lerp", a, b, weight, dtype);
  kernels::elementwise(kernels::lerp, compute_type(dtype), y, {a.array(), b.array(), weight.array()});
  return record("lerp", {a, b, weight}, y, {},
                [a = saved(a), b = saved(b), w = saved(weight)](const Tensor& g) {
                  return grads(g * (1 - *w), g * *w, g * (*b - *a));
                });
}
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight) {
  DType dtype = detail::floating_type(result_type(a, b));
  Array y = detail::result("lerp", a, b, dtype);
  kernels::elementwise(kernels::lerp, compute_type(dtype), y, {a.array(), b.array(), weight});
  return record("lerp", {a, b}, y, {{"weight", weight}},
                [w = weight.to_double()](const Tensor& g) { return grads(g * (1 - w), g * w); });
}

}  // namespace espalier
