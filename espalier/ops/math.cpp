#include <espalier/ops/math.h>

#include <numbers>

#include <espalier/ops/creation.h>
#include <espalier/ops/elementwise.h>

namespace espalier {
namespace {

using detail::one_pass;
using detail::unary;

void check_not_bool(const char* op, const Tensor& x) {
  require<DTypeError>(x.dtype() != DType::boolean, op, ": not defined for bool tensors");
}

// floor and its like.
Tensor rounded(const char* op, const kernels::Row& row, const Tensor& x) {
  check_not_bool(op, x);
  Array y = Array::empty_like(x.array());
  if (is_floating_point(x.dtype()))
    kernels::elementwise(row, kernels::compute_type(x.dtype()), y, {x.array()});
  else kernels::copy(y, x.array());
  return record(op, {x}, y, {}, [](const Tensor& g) { return grads(zeros_like(g)); });
}

}  // namespace

Tensor abs(const Tensor& x) {
  check_not_bool("abs", x);
  return unary("abs", kernels::abs, x, x.dtype(),
               [x = saved(x)](const Tensor& g) { return grads(g * x->sign()); });
}
Tensor Tensor::abs() const { return espalier::abs(*this); }

Tensor sign(const Tensor& x) {
  return unary("sign", kernels::sign, x, x.dtype(), [](const Tensor& g) { return grads(zeros_like(g)); });
}
Tensor Tensor::sign() const { return espalier::sign(*this); }

Tensor square(const Tensor& x) {
  check_not_bool("square", x);
  return unary("square", kernels::square, x, x.dtype(),
               [x = saved(x)](const Tensor& g) { return grads(g * (*x * 2)); });
}
Tensor Tensor::square() const { return espalier::square(*this); }

Tensor exp(const Tensor& x) {
  return unary("exp", kernels::exp, x, [](const Tensor& g, const Tensor& y) { return grads(g * y); });
}
Tensor Tensor::exp() const { return espalier::exp(*this); }

Tensor expm1(const Tensor& x) {
  return unary("expm1", kernels::expm1, x,
               [](const Tensor& g, const Tensor& y) { return grads(g * (y + 1)); });
}
Tensor Tensor::expm1() const { return espalier::expm1(*this); }

Tensor log(const Tensor& x) {
  return unary("log", kernels::log, x, [x = saved(x)](const Tensor& g) { return grads(g / *x); });
}
Tensor Tensor::log() const { return espalier::log(*this); }

Tensor log1p(const Tensor& x) {
  return unary("log1p", kernels::log1p, x, [x = saved(x)](const Tensor& g) { return grads(g / (*x + 1)); });
}
Tensor Tensor::log1p() const { return espalier::log1p(*this); }

Tensor sqrt(const Tensor& x) {
  return unary("sqrt", kernels::sqrt, x, [](const Tensor& g, const Tensor& y) { return grads(g / (y * 2)); });
}
Tensor Tensor::sqrt() const { return espalier::sqrt(*this); }

Tensor rsqrt(const Tensor& x) {
  return unary("rsqrt", kernels::rsqrt, x,
               [](const Tensor& g, const Tensor& y) { return grads(g * (y * y * y) * -0.5); });
}
Tensor Tensor::rsqrt() const { return espalier::rsqrt(*this); }

Tensor reciprocal(const Tensor& x) {
  return unary("reciprocal", kernels::reciprocal, x,
               [](const Tensor& g, const Tensor& y) { return grads(-g * (y * y)); });
}
Tensor Tensor::reciprocal() const { return espalier::reciprocal(*this); }

Tensor sin(const Tensor& x) {
  return unary("sin", kernels::sin, x, [x = saved(x)](const Tensor& g) { return grads(g * x->cos()); });
}
Tensor Tensor::sin() const { return espalier::sin(*this); }

Tensor cos(const Tensor& x) {
  return unary("cos", kernels::cos, x, [x = saved(x)](const Tensor& g) { return grads(-g * x->sin()); });
}
Tensor Tensor::cos() const { return espalier::cos(*this); }

Tensor tanh(const Tensor& x) {
  return unary("tanh", kernels::tanh, x, [](const Tensor& g, const Tensor& y) {
    if (!grad_enabled()) return grads(one_pass(kernels::tanh_grad, g, y));
    return grads(g * (1 - y * y));
  });
}
Tensor Tensor::tanh() const { return espalier::tanh(*this); }

Tensor erf(const Tensor& x) {
  return unary("erf", kernels::erf, x, [x = saved(x)](const Tensor& g) {
    return grads(g * ((-x->square()).exp() * (2 * std::numbers::inv_sqrtpi)));
  });
}
Tensor Tensor::erf() const { return espalier::erf(*this); }

Tensor sigmoid(const Tensor& x) {
  return unary("sigmoid", kernels::sigmoid, x, [](const Tensor& g, const Tensor& y) {
    if (!grad_enabled()) return grads(one_pass(kernels::sigmoid_grad, g, y));
    return grads(g * (y * (1 - y)));
  });
}
Tensor Tensor::sigmoid() const { return espalier::sigmoid(*this); }

Tensor floor(const Tensor& x) { return rounded("floor", kernels::floor, x); }
Tensor Tensor::floor() const { return espalier::floor(*this); }
Tensor ceil(const Tensor& x) { return rounded("ceil", kernels::ceil, x); }
Tensor Tensor::ceil() const { return espalier::ceil(*this); }
Tensor round(const Tensor& x) { return rounded("round", kernels::round, x); }
Tensor Tensor::round() const { return espalier::round(*this); }
Tensor trunc(const Tensor& x) { return rounded("trunc", kernels::trunc, x); }
Tensor Tensor::trunc() const { return espalier::trunc(*this); }

}  // namespace espalier
