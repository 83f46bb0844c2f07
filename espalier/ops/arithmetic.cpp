#include <espalier/ops/arithmetic.h>

#include <espalier/kernels/fusible.h>
#include <espalier/ops/elementwise.h>

namespace espalier {
namespace {

using detail::result;
using detail::result_type;
using detail::saved_if;
using kernels::compute_type;

bool is_one(Scalar s) { return s.kind() != Scalar::Kind::floating ? s.to_int64() == 1 : s.to_double() == 1; }
Tensor times(const Tensor& g, Scalar factor) { return is_one(factor) ? g : g * factor; }

Scalar negative(Scalar s) {
  return s.kind() == Scalar::Kind::floating
             ? Scalar(-s.to_double())
             : Scalar(static_cast<int64_t>(-static_cast<uint64_t>(s.to_int64())));
}

void check_alpha(const char* op, DType dtype, Scalar alpha) {
  require<DTypeError>(is_floating_point(dtype) || alpha.kind() != Scalar::Kind::floating, op,
                      ": tensors of integers need an integer alpha, got ", alpha.to_double());
}

void check_not_bool(const char* op, DType dtype) {
  require<DTypeError>(dtype != DType::boolean, op,
                      ": not defined for bool tensors; use logical_not or logical_xor");
}

// y = a + alpha b, or a - alpha b.
void add_into(Array& y, DType dtype, const kernels::Operand& a, const kernels::Operand& b, Scalar alpha,
              bool minus) {
  DType compute = compute_type(dtype);
  if (is_one(alpha)) kernels::elementwise(minus ? kernels::sub : kernels::add, compute, y, {a, b});
  else kernels::elementwise(kernels::add_scaled, compute, y, {a, b, minus ? negative(alpha) : alpha});
}

Tensor add_or_sub(const char* op, const Tensor& a, const Tensor& b, Scalar alpha, bool minus) {
  DType dtype = result_type(a, b);
  check_alpha(op, dtype, alpha);
  if (minus) check_not_bool(op, dtype);
  Array y = result(op, a, b, dtype);
  bool plain = !minus && is_one(alpha);
  if (!plain || !kernels::add_later(y, a.array(), b.array())) {
    add_into(y, dtype, a.array(), b.array(), alpha, minus);
  }
  Scalar factor = minus ? negative(alpha) : alpha;
  return record(op, {a, b}, y, {{"alpha", alpha}},
                [factor](const Tensor& g) { return grads(g, times(g, factor)); });
}

// An operation of a tensor and a number, whose gradient is `backward`.
template <class Backward>
Tensor with_number(const char* op, const kernels::Row& row, DType dtype, const Tensor& x, Scalar other,
                   bool swapped, Backward&& backward) {
  Array y = Array::empty_like(x.array(), dtype);
  kernels::Operand a = x.array(), b = other;
  kernels::elementwise(row, compute_type(dtype), y, {swapped ? b : a, swapped ? a : b});
  return record(op, {x}, y, {{"other", other}}, std::forward<Backward>(backward));
}

}  // namespace

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha) { return add_or_sub("add", a, b, alpha, false); }
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha) { return add_or_sub("sub", a, b, alpha, true); }

Tensor mul(const Tensor& a, const Tensor& b) {
  DType dtype = result_type(a, b);
  Array y = result("mul", a, b, dtype);
  kernels::elementwise(kernels::mul, compute_type(dtype), y, {a.array(), b.array()});
  return record("mul", {a, b}, y, {},
                [a = saved_if(b.requires_grad(), a), b = saved_if(a.requires_grad(), b)](const Tensor& g) {
                  return grads(b->defined() ? g * *b : Tensor(), a->defined() ? g * *a : Tensor());
                });
}

Tensor div(const Tensor& a, const Tensor& b) {
  DType dtype = detail::floating_type(result_type(a, b));
  Array y = result("div", a, b, dtype);
  kernels::elementwise(kernels::div, compute_type(dtype), y, {a.array(), b.array()});
  if (!b.requires_grad()) {
    return record("div", {a, b}, y, {}, [b = saved(b)](const Tensor& g) { return grads(g / *b); });
  }
  return record("div", {a, b}, y, {}, [b = saved(b)](const Tensor& g, const Tensor& y) {
    Tensor ga = g / *b;
    return grads(ga, -(ga * y));
  });
}

Tensor add(const Tensor& a, Scalar b) {
  return with_number("add", kernels::add, promote_types(a.dtype(), b), a, b, false,
                     [](const Tensor& g) { return grads(g); });
}
Tensor sub(const Tensor& a, Scalar b) {
  DType dtype = promote_types(a.dtype(), b);
  check_not_bool("sub", dtype);
  return with_number("sub", kernels::sub, dtype, a, b, false, [](const Tensor& g) { return grads(g); });
}
Tensor mul(const Tensor& a, Scalar b) {
  return with_number("mul", kernels::mul, promote_types(a.dtype(), b), a, b, false,
                     [b](const Tensor& g) { return grads(g * b); });
}
Tensor div(const Tensor& a, Scalar b) {
  return with_number("div", kernels::div, detail::floating_type(a.dtype()), a, b, false,
                     [b](const Tensor& g) { return grads(g / b); });
}
Tensor rsub(const Tensor& a, Scalar b) {
  DType dtype = promote_types(a.dtype(), b);
  check_not_bool("rsub", dtype);
  return with_number("rsub", kernels::sub, dtype, a, b, true, [](const Tensor& g) { return grads(-g); });
}
Tensor rdiv(const Tensor& a, Scalar b) {
  return with_number("rdiv", kernels::div, detail::floating_type(a.dtype()), a, b, true,
                     [a = saved(a)](const Tensor& g, const Tensor& y) { return grads(-(g * y) / *a); });
}

Tensor neg(const Tensor& x) {
  check_not_bool("neg", x.dtype());
  Array y = Array::empty_like(x.array());
  kernels::elementwise(kernels::sub, compute_type(x.dtype()), y, {Scalar(-0.0), x.array()});
  return record("neg", {x}, y, {}, [](const Tensor& g) { return grads(-g); });
}

Tensor operator+(const Tensor& a, const Tensor& b) { return add(a, b); }
Tensor operator-(const Tensor& a, const Tensor& b) { return sub(a, b); }
Tensor operator*(const Tensor& a, const Tensor& b) { return mul(a, b); }
Tensor operator/(const Tensor& a, const Tensor& b) { return div(a, b); }
Tensor operator+(const Tensor& a, Scalar b) { return add(a, b); }
Tensor operator-(const Tensor& a, Scalar b) { return sub(a, b); }
Tensor operator*(const Tensor& a, Scalar b) { return mul(a, b); }
Tensor operator/(const Tensor& a, Scalar b) { return div(a, b); }
Tensor operator+(Scalar a, const Tensor& b) { return add(b, a); }
Tensor operator-(Scalar a, const Tensor& b) { return rsub(b, a); }
Tensor operator*(Scalar a, const Tensor& b) { return mul(b, a); }
Tensor operator/(Scalar a, const Tensor& b) { return rdiv(b, a); }
Tensor operator-(const Tensor& a) { return neg(a); }
Tensor Tensor::neg() const { return espalier::neg(*this); }

}  // namespace espalier
