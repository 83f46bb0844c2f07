#pragma once

#include <cstdint>
#include <limits>
#include <type_traits>

#include <espalier/core/dtype.h>

// Vectors of 64 bytes for the files of kernels/simd: arithmetic and comparison work lane by lane, `mask ? a :
// b` chooses lane by lane. On processors with shorter registers the compiler splits them, so that results do
// not depend on the instruction set other than by fused multiply-adds. Functions with vectors for arguments
// are ESPALIER_INLINE: how vectors are passed differs between instruction sets.
#pragma GCC diagnostic ignored "-Wpsabi"
#define ESPALIER_INLINE [[gnu::always_inline]] inline

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

template <class T, int Bytes = 64>
struct VecOf {
  typedef T type __attribute__((vector_size(Bytes)));
};
template <class T>
using Vec = typename VecOf<T>::type;

template <class T>
inline constexpr int kLanes = 64 / static_cast<int>(sizeof(T));

// What stands in memory for an element of T.
template <class T>
using Raw = std::conditional_t<std::is_same_v<T, bool>, uint8_t,
                               std::conditional_t<std::is_same_v<T, BFloat16>, uint16_t, T>>;

template <class A>
ESPALIER_INLINE Vec<A> broadcast(A value) {
  return value - Vec<A>{};
}

// kLanes<A> elements of type T, one after the other, as A.
template <class A, class T>
ESPALIER_INLINE Vec<A> load(const T* p) {
  constexpr int kBytes = kLanes<A> * static_cast<int>(sizeof(T));
  typename VecOf<Raw<T>, kBytes>::type raw;
  __builtin_memcpy(&raw, p, kBytes);
  if constexpr (std::is_same_v<T, BFloat16>) {
    Vec<uint32_t> bits = __builtin_convertvector(raw, Vec<uint32_t>) << 16;
    return __builtin_bit_cast(Vec<float>, bits);
  } else {
    return __builtin_convertvector(raw, Vec<A>);
  }
}

// The first `count` lanes from elements of type T, `fill` in the others.
template <class A, class T>
ESPALIER_INLINE Vec<A> load(const T* p, int64_t count, A fill) {
  A lanes[kLanes<A>];
  for (A& lane : lanes) lane = fill;
  if constexpr (std::is_same_v<T, A>) __builtin_memcpy(lanes, p, static_cast<size_t>(count) * sizeof(A));
  else
    for (int64_t i = 0; i < count; ++i) lanes[i] = static_cast<A>(p[i]);
  return load<A>(lanes);
}

// The first `count` lanes, as T.
template <class T, class A>
ESPALIER_INLINE void store(T* p, const Vec<A>& v, int64_t count = kLanes<A>) {
  if constexpr (std::is_same_v<T, A>) {
    if (count == kLanes<A>) __builtin_memcpy(p, &v, sizeof v);
    else __builtin_memcpy(p, &v, static_cast<size_t>(count) * sizeof(A));
  } else {
    for (int64_t i = 0; i < count; ++i) p[i] = static_cast<T>(v[i]);
  }
}

// Integers of the size of A.
template <class A>
using Bits = std::conditional_t<sizeof(A) == 4, int32_t, int64_t>;

// e^x within about an ulp; keeps NaN and infinity. Results below the smallest normal number are 0: denormal
// ones would cost a hundred times more.
template <class A>
ESPALIER_INLINE Vec<A> exp(const Vec<A>& power) {
  constexpr bool kFloat = sizeof(A) == 4;
  constexpr int kDigits = std::numeric_limits<A>::digits - 1,
                kBias = std::numeric_limits<A>::max_exponent - 1;
  constexpr A kLow = kFloat ? A(-87.336) : A(-708.39), kHigh = kFloat ? A(89) : A(710);
  constexpr A kLn2High = kFloat ? A(0x1.62e4p-1) : A(0x1.62e42fefap-1);
  constexpr A kLn2Low = kFloat ? A(0x1.7f7d1cf79abcap-20) : A(0x1.cf79abc9e3b39p-40);
  constexpr A kRound = A(3) * A(Bits<A>{1} << (kDigits - 1));  // adding it leaves an integer in the low bits

  Vec<A> x = power < kLow ? broadcast<A>(kLow) : power;
  x = x > kHigh ? broadcast<A>(kHigh) : x;
  Vec<A> shifted = x * A(1.44269504088896340736) + kRound;
  Vec<Bits<A>> n = __builtin_bit_cast(Vec<Bits<A>>, shifted) - __builtin_bit_cast(Bits<A>, kRound);
  Vec<A> whole = shifted - kRound;
  Vec<A> r = (x - whole * kLn2High) - whole * kLn2Low;
  // Taylor's series; |r| <= ln(2)/2 makes what is left out smaller than a rounding.
  constexpr int kTerms = kFloat ? 7 : 13;
  Vec<A> y = broadcast<A>(1);
  for (int k = kTerms; k > 0; --k) y = 1 + y * (r * A(1.0 / k));
  // 2^n in two factors, since 2^n alone may be outside the range of normal numbers.
  Vec<Bits<A>> half = n >> 1, rest = n - half;
  y *= __builtin_bit_cast(Vec<A>, (half + kBias) << kDigits);
  y *= __builtin_bit_cast(Vec<A>, (rest + kBias) << kDigits);
  return power < kLow ? Vec<A>{} : y;
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
