#include <espalier/ops/activation.h>

#include <numbers>
#include <string_view>

#include <espalier/kernels/relu.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/elementwise.h>
#include <espalier/ops/math.h>
#include <espalier/ops/select.h>

namespace espalier {
namespace {

using detail::one_pass;
using detail::unary;

// An activation with settings after x, such as elu(x, alpha).
template <class Backward>
Tensor with_settings(const char* op, const kernels::Row& row, const Tensor& x,
                     std::initializer_list<double> settings, Attrs attrs, Backward&& backward) {
  Array y = Array::empty_like(x.array(), detail::floating_type(x.dtype()));
  DType compute = kernels::compute_type(y.dtype);
  const double* s = settings.begin();
  if (settings.size() == 1) kernels::elementwise(row, compute, y, {x.array(), Scalar(s[0])});
  else kernels::elementwise(row, compute, y, {x.array(), Scalar(s[0]), Scalar(s[1])});
  return record(op, {x}, y, attrs, std::forward<Backward>(backward));
}

// The derivatives of both forms of GELU, composed of differentiable operations.
Tensor gelu_slope(const Tensor& x) {
  constexpr double kInvSqrt2Pi = 0.5 * std::numbers::inv_sqrtpi * std::numbers::sqrt2;
  Tensor cdf = (x * (1 / std::numbers::sqrt2)).erf() * 0.5 + 0.5;
  return cdf + x * ((x.square() * -0.5).exp() * kInvSqrt2Pi);
}
Tensor gelu_tanh_slope(const Tensor& x) {
  constexpr double kScale = std::numbers::sqrt2 * std::numbers::inv_sqrtpi, kCubic = 0.044715;
  Tensor t = ((x + x.pow(3) * kCubic) * kScale).tanh(), slope = (x.square() * (3 * kCubic) + 1) * kScale;
  return (t + 1 + x * (1 - t.square()) * slope) * 0.5;
}

Tensor hard(const char* op, const Tensor& x, double low, double high, Attrs attrs) {
  require<ValueError>(low <= high, op, ": min_val ", low, " is above max_val ", high);
  return with_settings(op, kernels::clamp, x, {low, high}, attrs, [x = saved(x), low, high](const Tensor& g) {
    return grads(g.masked_fill((*x > low).logical_not() + (*x < high).logical_not(), 0));
  });
}

}  // namespace

Tensor relu(const Tensor& x) {
  require<DTypeError>(x.dtype() != DType::boolean, "relu: not defined for bool tensors");
  Array y = Array::empty_like(x.array());
  kernels::relu(y, x.array());
  return record("relu", {x}, y, {}, [](const Tensor& g, const Tensor& y) {
    if (grad_enabled()) return grads(g.masked_fill(y <= 0, 0));
    Array gx = Array::empty_like(y.array());
    kernels::relu_backward(gx, g.array(), y.array());
    return grads(Tensor(gx));
  });
}
Tensor Tensor::relu() const { return espalier::relu(*this); }

Tensor gelu(const Tensor& x, GeluOptions options) {
  bool exact = options.approximate == std::string_view("none");
  require<ValueError>(exact || options.approximate == std::string_view("tanh"),
                      "gelu: approximate must be \"none\" or \"tanh\", got \"", options.approximate, '"');
  Array y = Array::empty_like(x.array(), detail::floating_type(x.dtype()));
  kernels::elementwise(exact ? kernels::gelu : kernels::gelu_tanh, kernels::compute_type(y.dtype), y,
                       {x.array()});
  return record("gelu", {x}, y, {{"approximate", exact ? "none" : "tanh"}},
                [x = saved(x), exact](const Tensor& g) {
                  if (!grad_enabled())
                    return grads(one_pass(exact ? kernels::gelu_grad : kernels::gelu_tanh_grad, g, *x));
                  return grads(g * (exact ? gelu_slope(*x) : gelu_tanh_slope(*x)));
                });
}

Tensor silu(const Tensor& x) {
  return unary("silu", kernels::silu, x, [x = saved(x)](const Tensor& g) {
    if (!grad_enabled()) return grads(one_pass(kernels::silu_grad, g, *x));
    Tensor s = x->sigmoid();
    return grads(g * (s * (*x * (1 - s) + 1)));
  });
}

Tensor softplus(const Tensor& x, SoftplusOptions options) {
  auto [beta, threshold] = options;
  return with_settings("softplus", kernels::softplus, x, {beta, threshold},
                       {{"beta", beta}, {"threshold", threshold}},
                       [x = saved(x), beta = beta, threshold = threshold](const Tensor& g) {
                         Tensor scaled = *x * beta;
                         return grads(g * where(scaled > threshold, 1.0, scaled.sigmoid()));
                       });
}

Tensor leaky_relu(const Tensor& x, double negative_slope) {
  return with_settings("leaky_relu", kernels::leaky_relu, x, {negative_slope},
                       {{"negative_slope", negative_slope}}, [x = saved(x), negative_slope](const Tensor& g) {
                         return grads(where(*x > 0, g, g * negative_slope));
                       });
}

Tensor elu(const Tensor& x, double alpha) {
  return with_settings("elu", kernels::elu, x, {alpha}, {{"alpha", alpha}},
                       [x = saved(x), alpha](const Tensor& g) {
                         return grads(where(*x > 0, g, g * (x->clamp({}, 0).exp() * alpha)));
                       });
}

Tensor hardtanh(const Tensor& x, double min_val, double max_val) {
  return hard("hardtanh", x, min_val, max_val, {{"min_val", min_val}, {"max_val", max_val}});
}
Tensor relu6(const Tensor& x) { return hard("relu6", x, 0, 6, {}); }

}  // namespace espalier
