#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

// Functions for loops over float: without branches, so that the compiler makes vector instructions of them
// and an element's value does not depend on its place. They are within 2 units in the last place; infinities,
// NaN and numbers below the smallest normal one are treated as the standard says. For double the standard
// functions serve.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL::math {

inline constexpr float kInf = std::numeric_limits<float>::infinity();
inline constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
// Two parts of log 2; the upper one has few bits, so that a small integer times it is exact.
inline constexpr float kLn2High = 0.693359375f, kLn2Low = -2.12194440e-4f;

inline int32_t bits(float x) { return std::bit_cast<int32_t>(x); }
inline float from_bits(int32_t b) { return std::bit_cast<float>(b); }
// 2^n for -126 <= n <= 127
inline float power_of_2(int32_t n) { return from_bits((n + 127) << 23); }

// c[0] + c[1] x + c[2] x² + …
template <class... C>
inline float polynomial(float x, float c0, C... c) {
  if constexpr (sizeof...(c) == 0) return c0;
  else return c0 + x * polynomial(x, c...);
}

// x = n log 2 + r with |r| <= log 2 / 2, and e^r - 1.
struct Reduced {
  int32_t n;
  float expm1;
};
inline Reduced reduce(float x) {
  constexpr float kLog2E = 1.44269504f,
                  kRounder = 0x1.8p23f;  // adding it rounds to an integer, in the low bits
  float t = x * kLog2E + kRounder, n = t - kRounder;
  float r = x - n * kLn2High - n * kLn2Low;
  float p = polynomial(r, 0.500000005f, 0.1666666637f, 0.04166633397f, 0.008333385508f, 0.001394281296f,
                       0.0001985058365f);
  return {bits(t) - bits(kRounder), r + r * r * p};
}

inline float exp(float x) {
  float inside = x < -104.0f ? -104.0f : x > 89.0f ? 89.0f : x;
  auto [n, m] = reduce(inside);
  int32_t half = n >> 1;
  return (1.0f + m) * power_of_2(half) * power_of_2(n - half);
}

inline float expm1(float x) {
  float inside = x < -18.0f ? -18.0f : x > 89.0f ? 89.0f : x;
  auto [n, m] = reduce(inside);
  int32_t cut = n > 127 ? 127 : n;  // 2^128 is beyond float
  float s = power_of_2(cut);
  float y = s * m + (s - 1.0f);
  return n > 127 ? y * 2.0f : y;
}

inline float log(float x) {
  bool tiny = x < 0x1p-126f;
  float scaled = tiny ? x * 0x1p23f : x;
  auto b = static_cast<uint32_t>(bits(scaled));
  int32_t n = static_cast<int32_t>(b - static_cast<uint32_t>(bits(0.70710678f))) >> 23;
  float f = from_bits(static_cast<int32_t>(b - (static_cast<uint32_t>(n) << 23))) - 1.0f,
        k = static_cast<float>(tiny ? n - 23 : n);
  float p = polynomial(f, 0.3333331245f, -0.2500000898f, 0.2000212631f, -0.1666802845f, 0.1421944822f,
                       -0.1240504082f, 0.1188831655f, -0.1167860104f, 0.06749726752f);
  float square = f * f;
  float y = k * kLn2Low + square * (f * p) - 0.5f * square;
  y = k * kLn2High + (f + y);
  y = x > 0.0f ? y : x == 0.0f ? -kInf : kNaN;
  return x < kInf ? y : x == kInf ? kInf : kNaN;
}

inline float log1p(float x) {
  float u = 1.0f + x, lost = x - (u - 1.0f);  // what rounding u left out
  bool usual = (u > 0.0f) & (u < kInf);
  float y = log(u) + (usual ? lost / u : 0.0f);
  return x == 0.0f ? x : y;
}

inline float tanh(float x) {
  float a = std::fabs(x), u = x * x;
  float near = x + x * u *
                       polynomial(u, -0.3333332944f, 0.1333315207f, -0.05393993151f, 0.02166335322f,
                                  -0.008085522769f, 0.002059499933f);
  float far = std::copysign(1.0f - 2.0f / (exp(2.0f * a) + 1.0f), x);
  return a < 0.625f ? near : far;
}

inline float erf(float x) {
  float a = std::fabs(x), u = x * x, b = a > 4.0f ? 4.0f : a;
  float near = x + x * polynomial(u, 0.128379167f, -0.3761263843f, 0.1128378197f, -0.02686539994f,
                                  0.005220945152f, -0.0008482824781f, 0.0001125691866f, -9.641433259e-6f);
  float log_erfc = polynomial(b, 0.0001895281774f, -1.129585033f, -0.6332075544f, -0.1084311249f,
                              0.0252157587f, -0.004207197833f, 0.0004418402189f, -2.172725599e-5f);
  float far = std::copysign(1.0f - exp(log_erfc), x);
  return a < 1.0f ? near : far;
}

// sin(x + quarter_turns π/2) for |x| up to kTurnsExact; beyond, ask the standard library.
inline constexpr float kTurnsExact = 1e6f;
inline float sin_turned(float x, int64_t quarter_turns) {
  constexpr double kTwoOverPi = 0.63661977236758134, kRounder = 0x1.8p52, kHalfPiHigh = 0x1.921fb544p0,
                   kHalfPiLow = 6.0771005065061926e-11;
  double t = x * kTwoOverPi + kRounder, n = t - kRounder;
  double r = x - n * kHalfPiHigh - n * kHalfPiLow, u = r * r;
  double s = r + r * u *
                     (-0.16666666640575073 +
                      u * (0.0083333292794235632 + u * (-0.00019839304137196066 + u * 2.718044282500414e-6)));
  double c = 1.0 - 0.5 * u +
             u * u *
                 (0.041666666622446412 +
                  u * (-0.0013888883720439479 + u * (2.4799511271065985e-5 - u * 2.7209512124987878e-7)));
  int64_t quadrant = std::bit_cast<int64_t>(t) + quarter_turns;
  double y = quadrant & 1 ? c : s;
  return static_cast<float>(quadrant & 2 ? -y : y);
}

inline float sigmoid(float x) { return 1.0f / (1.0f + exp(-x)); }

inline double exp(double x) { return std::exp(x); }
inline double expm1(double x) { return std::expm1(x); }
inline double log(double x) { return std::log(x); }
inline double log1p(double x) { return std::log1p(x); }
inline double tanh(double x) { return std::tanh(x); }
inline double erf(double x) { return std::erf(x); }
inline double sigmoid(double x) { return 1.0 / (1.0 + std::exp(-x)); }

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL::math
