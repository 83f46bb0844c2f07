#include <cmath>
#include <cstdint>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/math.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {

ESPALIER_ROW(floating_row, div, [](auto a, auto b) { return a / b; })
ESPALIER_ROW(floating_row, reciprocal, [](auto a) { return 1 / a; })
ESPALIER_ROW(floating_row, sqrt, [](auto a) { return std::sqrt(a); })
ESPALIER_ROW(floating_row, rsqrt, [](auto a) { return 1 / std::sqrt(a); })
ESPALIER_ROW(floating_row, exp, [](auto a) { return math::exp(a); })
ESPALIER_ROW(floating_row, expm1, [](auto a) { return math::expm1(a); })
ESPALIER_ROW(floating_row, log, [](auto a) { return math::log(a); })
ESPALIER_ROW(floating_row, log1p, [](auto a) { return math::log1p(a); })
ESPALIER_ROW(floating_row, sin, [](auto a) { return std::sin(a); })
ESPALIER_ROW(floating_row, cos, [](auto a) { return std::cos(a); })
ESPALIER_ROW(floating_row, tanh, [](auto a) { return math::tanh(a); })
ESPALIER_ROW(floating_row, erf, [](auto a) { return math::erf(a); })
ESPALIER_ROW(floating_row, floor, [](auto a) { return std::floor(a); })
ESPALIER_ROW(floating_row, ceil, [](auto a) { return std::ceil(a); })
ESPALIER_ROW(floating_row, round, [](auto a) { return std::nearbyint(a); })
ESPALIER_ROW(floating_row, trunc, [](auto a) { return std::trunc(a); })
ESPALIER_ROW(floating_row, isnan, [](auto a) { return truth(a != a, a); })
ESPALIER_ROW(floating_row, isinf, [](auto a) { return truth(std::fabs(a) == decltype(a)(math::kInf), a); })
ESPALIER_ROW(floating_row, isfinite, [](auto a) { return truth(std::fabs(a) < decltype(a)(math::kInf), a); })
// From the nearer end, so that c = 1 gives b.
ESPALIER_ROW(floating_row, lerp, [](auto a, auto b, auto c) {
  auto d = b - a;
  return c < decltype(c)(0.5) ? a + c * d : b - d * (1 - c);
})

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
