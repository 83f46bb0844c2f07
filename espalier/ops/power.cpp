#include <espalier/ops/power.h>

#include <algorithm>

#include <espalier/ops/creation.h>
#include <espalier/ops/elementwise.h>
#include <espalier/ops/math.h>
#include <espalier/ops/select.h>

namespace espalier {
namespace {

using detail::result_type;
using detail::saved_if;
using kernels::compute_type;

// The Row that computes x^e directly, if there is one.
const kernels::Row* special_power(double e, bool floating) {
  if (e == 2) return &kernels::square;
  if (!floating) return nullptr;
  if (e == 0.5) return &kernels::sqrt;
  if (e == -0.5) return &kernels::rsqrt;
  if (e == -1) return &kernels::reciprocal;
  return nullptr;
}

void check_divisors(const char* op, const Tensor& b) {
  if (shapes_only()) return;
  auto values = b.to_vector<int64_t>();
  require<ValueError>(std::find(values.begin(), values.end(), 0) == values.end(), op,
                      ": division of integers by 0");
}

Array quotient(const char* op, const kernels::Row& row, const Tensor& a, const Tensor& b) {
  DType dtype = result_type(a, b);
  require<DTypeError>(dtype != DType::boolean, op, ": not defined for bool tensors");
  if (!is_floating_point(dtype)) check_divisors(op, b);
  Array y = detail::result(op, a, b, dtype);
  kernels::elementwise(row, compute_type(dtype), y, {a.array(), b.array()});
  return y;
}

Array quotient(const char* op, const kernels::Row& row, const Tensor& a, Scalar b) {
  DType dtype = promote_types(a.dtype(), b);
  require<DTypeError>(dtype != DType::boolean, op, ": not defined for bool tensors");
  require<ValueError>(is_floating_point(dtype) || b.to_int64() != 0, op, ": division of integers by 0");
  Array y = Array::empty_like(a.array(), dtype);
  kernels::elementwise(row, compute_type(dtype), y, {a.array(), b});
  return y;
}

}  // namespace

Tensor pow(const Tensor& x, Scalar exponent) {
  DType dtype = promote_types(x.dtype(), exponent);
  double e = exponent.to_double();
  require<ValueError>(is_floating_point(dtype) || e >= 0, "pow: integers to the negative power ", e,
                      " are not integers; convert them with to(float32)");
  Array y = Array::empty_like(x.array(), dtype);
  if (const auto* row = special_power(e, is_floating_point(dtype))) {
    kernels::elementwise(*row, compute_type(dtype), y, {x.array()});
  } else {
    kernels::elementwise(kernels::pow, compute_type(dtype), y, {x.array(), exponent});
  }
  return record("pow", {x}, y, {{"exponent", exponent}}, [x = saved(x), e](const Tensor& g) {
    if (e == 0) return grads(zeros_like(g));
    if (e == 1) return grads(g);
    return grads(g * ((e == 2 ? *x : x->pow(e - 1)) * e));
  });
}
Tensor Tensor::pow(Scalar exponent) const { return espalier::pow(*this, exponent); }

Tensor pow(const Tensor& x, const Tensor& exponent) {
  DType dtype = result_type(x, exponent);
  if (!is_floating_point(dtype) && !shapes_only()) {
    auto e = exponent.to_vector<int64_t>();
    require<ValueError>(std::all_of(e.begin(), e.end(), [](int64_t v) { return v >= 0; }),
                        "pow: integers to a negative power are not integers; convert them with to(float32)");
  }
  Array y = detail::result("pow", x, exponent, dtype);
  kernels::elementwise(kernels::pow, compute_type(dtype), y, {x.array(), exponent.array()});
  bool for_x = x.requires_grad(), for_e = exponent.requires_grad();
  return record("pow", {x, exponent}, y, {},
                [x = saved(x), e = saved(exponent), for_x, for_e](const Tensor& g, const Tensor& y) {
                  Tensor gx, ge;
                  if (for_x) gx = where(*e == 0, 0, g * (*e * x->pow(*e - 1)));
                  if (for_e) ge = where((*x == 0) * (*e >= 0), 0, g * (y * x->log()));
                  return grads(gx, ge);
                });
}
Tensor Tensor::pow(const Tensor& exponent) const { return espalier::pow(*this, exponent); }

Tensor remainder(const Tensor& a, const Tensor& b) {
  Array y = quotient("remainder", kernels::remainder, a, b);
  bool for_b = b.requires_grad();
  return record("remainder", {a, b}, y, {},
                [a = saved_if(for_b, a), b = saved_if(for_b, b)](const Tensor& g) {
                  return grads(g, b->defined() ? -g * a->floor_divide(*b) : Tensor());
                });
}
Tensor Tensor::remainder(const Tensor& other) const { return espalier::remainder(*this, other); }

Tensor remainder(const Tensor& a, Scalar b) {
  return record("remainder", {a}, quotient("remainder", kernels::remainder, a, b), {{"other", b}},
                [](const Tensor& g) { return grads(g); });
}
Tensor Tensor::remainder(Scalar other) const { return espalier::remainder(*this, other); }

Tensor floor_divide(const Tensor& a, const Tensor& b) {
  return record("floor_divide", {a, b}, quotient("floor_divide", kernels::floor_divide, a, b));
}
Tensor Tensor::floor_divide(const Tensor& other) const { return espalier::floor_divide(*this, other); }

Tensor floor_divide(const Tensor& a, Scalar b) {
  return record("floor_divide", {a}, quotient("floor_divide", kernels::floor_divide, a, b), {{"other", b}});
}
Tensor Tensor::floor_divide(Scalar other) const { return espalier::floor_divide(*this, other); }

}  // namespace espalier
