#include <cmath>
#include <cstdint>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Integers wrap around.
template <class T>
auto bits(T value) {
  if constexpr (std::is_integral_v<T>) return static_cast<uint64_t>(value);
  else return value;
}

template <class T>
T absolute(T x) {
  if constexpr (std::is_integral_v<T>) return static_cast<T>(x < 0 ? -bits(x) : bits(x));
  else return std::fabs(x);
}

int64_t power(int64_t base, int64_t exponent) {
  if (exponent < 0) return base == 1 ? 1 : base == -1 ? (exponent % 2 ? -1 : 1) : 0;
  uint64_t result = 1;
  for (uint64_t b = bits(base); exponent > 0; exponent >>= 1, b *= b) result *= exponent & 1 ? b : 1;
  return static_cast<int64_t>(result);
}
float power(float base, float exponent) { return std::pow(base, exponent); }
double power(double base, double exponent) { return std::pow(base, exponent); }

int64_t modulo(int64_t a, int64_t b) {
  if (b == 0 || b == -1) return 0;
  int64_t m = a % b;
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}
template <class T>
T modulo(T a, T b) {
  T m = std::fmod(a, b);
  return m != 0 && (m < 0) != (b < 0) ? m + b : m;
}

int64_t floor_quotient(int64_t a, int64_t b) {
  if (b == 0) return 0;
  if (b == -1) return static_cast<int64_t>(-bits(a));
  int64_t q = a / b;
  return a % b != 0 && (a < 0) != (b < 0) ? q - 1 : q;
}
// From the remainder, so that rounding of a / b can't lift it over an integer.
template <class T>
T floor_quotient(T a, T b) {
  if (b == 0) return a / b;
  T m = std::fmod(a, b), q = (a - m) / b;
  if (m != 0 && (m < 0) != (b < 0)) q -= 1;
  if (q == 0) return std::copysign(T(0), a / b);
  T whole = std::floor(q);
  return q - whole > T(0.5) ? whole + 1 : whole;
}

}  // namespace

ESPALIER_ROW(any_row, add, [](auto a, auto b) { return bits(a) + bits(b); })
ESPALIER_ROW(any_row, sub, [](auto a, auto b) { return bits(a) - bits(b); })
ESPALIER_ROW(any_row, mul, [](auto a, auto b) { return bits(a) * bits(b); })
ESPALIER_ROW(any_row, add_scaled, [](auto a, auto b, auto c) { return bits(a) + bits(b) * bits(c); })
ESPALIER_ROW(any_row, abs, [](auto a) { return absolute(a); })
ESPALIER_ROW(any_row, sign, [](auto a) { return truth(a > 0, a) - truth(a < 0, a); })
ESPALIER_ROW(any_row, square, [](auto a) { return bits(a) * bits(a); })
ESPALIER_ROW(any_row, pow, [](auto a, auto b) { return power(a, b); })
ESPALIER_ROW(any_row, maximum, [](auto a, auto b) { return a > b || a != a ? a : b; })
ESPALIER_ROW(any_row, minimum, [](auto a, auto b) { return a < b || a != a ? a : b; })
ESPALIER_ROW(any_row, clamp, [](auto a, auto low, auto high) {
  auto raised = a < low ? low : a;
  return raised > high ? high : raised;
})
ESPALIER_ROW(any_row, remainder, [](auto a, auto b) { return modulo(a, b); })
ESPALIER_ROW(any_row, floor_divide, [](auto a, auto b) { return floor_quotient(a, b); })

ESPALIER_ROW(any_row, eq, [](auto a, auto b) { return truth(a == b, a); })
ESPALIER_ROW(any_row, ne, [](auto a, auto b) { return truth(a != b, a); })
ESPALIER_ROW(any_row, lt, [](auto a, auto b) { return truth(a < b, a); })
ESPALIER_ROW(any_row, le, [](auto a, auto b) { return truth(a <= b, a); })
ESPALIER_ROW(any_row, gt, [](auto a, auto b) { return truth(a > b, a); })
ESPALIER_ROW(any_row, ge, [](auto a, auto b) { return truth(a >= b, a); })
ESPALIER_ROW(any_row, logical_not, [](auto a) { return truth(a == 0, a); })
ESPALIER_ROW(any_row, logical_and, [](auto a, auto b) { return truth((a != 0) & (b != 0), a); })
ESPALIER_ROW(any_row, logical_or, [](auto a, auto b) { return truth((a != 0) | (b != 0), a); })
ESPALIER_ROW(any_row, logical_xor, [](auto a, auto b) { return truth((a != 0) ^ (b != 0), a); })
ESPALIER_ROW(any_row, where, [](auto condition, auto a, auto b) { return condition != 0 ? a : b; })
ESPALIER_ROW(any_row, relu_row, [](auto a) { return a < 0 ? 0 : a; })
ESPALIER_ROW(any_row, add_relu, [](auto a, auto b) { return a + b < 0 ? 0 : a + b; })

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
