#pragma once

#include <espalier/kernels/simd/lanes.h>
#include <espalier/kernels/simd/micro.h>

// The transforms of F(4×4, 3×3) on the points 0, ±1, ±2 and ∞ (Lavin and Gray, "Fast algorithms for
// convolutional neural networks"): y = Aᵀ [(G w Gᵀ) ∘ (Bᵀ x B)] A. Each struct multiplies one column.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

using Lanes = VecOf<float, kBytes>::type;
constexpr int kLane = kWidth<float>;

struct InputTransform {  // Bᵀ
  static constexpr int kFrom = 6, kTo = 6;
  ESPALIER_INLINE static void apply(Lanes* o, const Lanes* d) {
    Lanes even = d[4] - 4.0f * d[2], odd = d[3] - 4.0f * d[1];
    Lanes wide_even = d[4] - d[2], wide_odd = 2.0f * (d[3] - d[1]);
    o[0] = 4.0f * d[0] + (d[4] - 5.0f * d[2]);
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = wide_even + wide_odd;
    o[4] = wide_even - wide_odd;
    o[5] = 4.0f * d[1] + (d[5] - 5.0f * d[3]);
  }
};

struct OutputTransform {  // Aᵀ
  static constexpr int kFrom = 6, kTo = 4;
  ESPALIER_INLINE static void apply(Lanes* o, const Lanes* m) {
    Lanes sum = m[1] + m[2], difference = m[1] - m[2];
    Lanes wide_sum = m[3] + m[4], wide_difference = m[3] - m[4];
    o[0] = m[0] + sum + wide_sum;
    o[1] = difference + 2.0f * wide_difference;
    o[2] = sum + 4.0f * wide_sum;
    o[3] = difference + 8.0f * wide_difference + m[5];
  }
};

struct GradientTransform {  // A
  static constexpr int kFrom = 4, kTo = 6;
  ESPALIER_INLINE static void apply(Lanes* o, const Lanes* g) {
    Lanes even = g[0] + g[2], odd = g[1] + g[3];
    Lanes wide_even = g[0] + 4.0f * g[2], wide_odd = 2.0f * (g[1] + 4.0f * g[3]);
    o[0] = g[0];
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = wide_even + wide_odd;
    o[4] = wide_even - wide_odd;
    o[5] = g[3];
  }
};

struct WeightTransform {  // G
  static constexpr int kFrom = 3, kTo = 6;
  ESPALIER_INLINE static void apply(Lanes* o, const Lanes* w) {
    Lanes even = (w[0] + w[2]) * (-1.0f / 6), odd = w[1] * (-1.0f / 6);
    Lanes wide_even = w[0] * (1.0f / 24) + w[2] * (1.0f / 6), wide_odd = w[1] * (1.0f / 12);
    o[0] = w[0] * 0.25f;
    o[1] = even + odd;
    o[2] = even - odd;
    o[3] = wide_even + wide_odd;
    o[4] = wide_even - wide_odd;
    o[5] = w[2];
  }
};

struct WeightGradientTransform {  // Gᵀ
  static constexpr int kFrom = 6, kTo = 3;
  ESPALIER_INLINE static void apply(Lanes* o, const Lanes* u) {
    Lanes sum = (u[1] + u[2]) * (-1.0f / 6), difference = (u[1] - u[2]) * (-1.0f / 6);
    Lanes wide_sum = u[3] + u[4], wide_difference = u[3] - u[4];
    o[0] = u[0] * 0.25f + sum + wide_sum * (1.0f / 24);
    o[1] = difference + wide_difference * (1.0f / 12);
    o[2] = sum + wide_sum * (1.0f / 6) + u[5];
  }
};

// Transforms the columns, then the rows, of what load(i, j) gives; the results go to store(i, j, value).
template <class T, class Load, class Store>
ESPALIER_INLINE void transform(Load&& load, Store&& store) {
  Lanes half[T::kTo][T::kFrom];
  for (int j = 0; j < T::kFrom; ++j) {
    Lanes from[T::kFrom], to[T::kTo];
    for (int i = 0; i < T::kFrom; ++i) from[i] = load(i, j);
    T::apply(to, from);
    for (int i = 0; i < T::kTo; ++i) half[i][j] = to[i];
  }
  for (int i = 0; i < T::kTo; ++i) {
    Lanes to[T::kTo];
    T::apply(to, half[i]);
    for (int j = 0; j < T::kTo; ++j) store(i, j, to[j]);
  }
}

ESPALIER_INLINE Lanes load_lanes(const float* p) {
  Lanes v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
// The first `count` lanes, zeros in the others.
ESPALIER_INLINE Lanes load_lanes(const float* p, int64_t count) {
  Lanes v = {};
  __builtin_memcpy(&v, p, static_cast<size_t>(count) * sizeof(float));
  return v;
}
ESPALIER_INLINE void store_lanes(float* p, const Lanes& v) { __builtin_memcpy(p, &v, sizeof v); }
ESPALIER_INLINE void store_lanes(float* p, const Lanes& v, int64_t count) {
  __builtin_memcpy(p, &v, static_cast<size_t>(count) * sizeof(float));
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
