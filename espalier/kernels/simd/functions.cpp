#include <algorithm>
#include <cmath>
#include <cstdint>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/math.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Sine or cosine. Few elements are so large that they need the standard library: they are mended afterwards,
// from a copy, as the result may stand in the place of the input.
template <int kQuarterTurns>
void turned_floats(int64_t n, float* out, const float* in) {
  constexpr int64_t kBlock = 128;
  float x[kBlock];
  for (int64_t i = 0; i < n; i += kBlock) {
    int64_t m = std::min(kBlock, n - i);
    std::copy_n(in + i, m, x);
    for (int64_t j = 0; j < m; ++j) out[i + j] = math::sin_turned(x[j], kQuarterTurns);
    for (int64_t j = 0; j < m; ++j) {
      if (std::fabs(x[j]) > math::kTurnsExact) out[i + j] = kQuarterTurns ? std::cos(x[j]) : std::sin(x[j]);
    }
  }
}

template <int kQuarterTurns>
void turned_row(DType type, int64_t n, void* out, const void* const* in) {
  if (type == DType::float32) {
    return turned_floats<kQuarterTurns>(n, static_cast<float*>(out), static_cast<const float*>(in[0]));
  }
  auto* x = static_cast<const double*>(in[0]);
  auto* y = static_cast<double*>(out);
  for (int64_t i = 0; i < n; ++i) y[i] = kQuarterTurns ? std::cos(x[i]) : std::sin(x[i]);
}

}  // namespace

ESPALIER_ROW(floating_row, div, [](auto a, auto b) { return a / b; })
ESPALIER_ROW(floating_row, reciprocal, [](auto a) { return 1 / a; })
ESPALIER_ROW(floating_row, sqrt, [](auto a) { return std::sqrt(a); })
ESPALIER_ROW(floating_row, rsqrt, [](auto a) { return 1 / std::sqrt(a); })
ESPALIER_ROW(floating_row, exp, [](auto a) { return math::exp(a); })
ESPALIER_ROW(floating_row, expm1, [](auto a) { return math::expm1(a); })
ESPALIER_ROW(floating_row, log, [](auto a) { return math::log(a); })
ESPALIER_ROW(floating_row, log1p, [](auto a) { return math::log1p(a); })
ESPALIER_OFFER(sin, turned_row<0>)
ESPALIER_OFFER(cos, turned_row<1>)
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
