#include <cmath>
#include <cstdint>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/math.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr double kSqrtHalf = 0.70710678118654752440, kSqrt2OverPi = 0.79788456080286535588,
                 kInvSqrt2Pi = 0.39894228040143267794, kCubic = 0.044715;

// The tanh in the approximation of GELU, and the derivative of its argument.
template <class T>
T gelu_inner(T x) {
  return math::tanh(T(kSqrt2OverPi) * (x + T(kCubic) * x * x * x));
}
template <class T>
T gelu_slope(T x) {
  return T(kSqrt2OverPi) * (1 + T(3 * kCubic) * x * x);
}

}  // namespace

ESPALIER_ROW(floating_row, sigmoid, [](auto x) { return math::sigmoid(x); })
ESPALIER_ROW(floating_row, silu, [](auto x) { return x / (1 + math::exp(-x)); })
ESPALIER_ROW(floating_row, gelu, [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + math::erf(x * T(kSqrtHalf)));
})
ESPALIER_ROW(floating_row, gelu_tanh, [](auto x) {
  using T = decltype(x);
  return T(0.5) * x * (1 + gelu_inner(x));
})
ESPALIER_ROW(floating_row, softplus, [](auto x, auto beta, auto threshold) {
  auto scaled = x * beta;
  return scaled > threshold ? x : math::log1p(math::exp(scaled)) / beta;
})
ESPALIER_ROW(floating_row, elu, [](auto x, auto alpha) { return x > 0 ? x : alpha * math::expm1(x); })
ESPALIER_ROW(floating_row, leaky_relu, [](auto x, auto slope) { return x > 0 ? x : slope * x; })

ESPALIER_ROW(floating_row, relu_backward_row, [](auto g, auto y) { return y <= 0 ? 0 : g; })
ESPALIER_ROW(floating_row, sigmoid_grad, [](auto g, auto y) { return g * y * (1 - y); })
ESPALIER_ROW(floating_row, tanh_grad, [](auto g, auto y) { return g * (1 - y * y); })
ESPALIER_ROW(floating_row, silu_grad, [](auto g, auto x) {
  auto s = math::sigmoid(x);
  return g * s * (1 + x * (1 - s));
})
ESPALIER_ROW(floating_row, gelu_grad, [](auto g, auto x) {
  using T = decltype(x);
  T cdf = T(0.5) * (1 + math::erf(x * T(kSqrtHalf))), pdf = T(kInvSqrt2Pi) * math::exp(T(-0.5) * x * x);
  return g * (cdf + x * pdf);
})
ESPALIER_ROW(floating_row, gelu_tanh_grad, [](auto g, auto x) {
  using T = decltype(x);
  T t = gelu_inner(x);
  return g * T(0.5) * (1 + t + x * (1 - t * t) * gelu_slope(x));
})

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
