#pragma once

#include <cstdint>
#include <utility>

#include <espalier/kernels/simd/micro.h>

// Copies of parts of a matrix in the order in which gemm reads them.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Exchanges, in the square of kWidth vectors, the off-diagonal quarters of each square of 2 · Step.
template <int Step, class T, size_t... I>
void exchange(Vector<T>* rows, std::index_sequence<I...>) {
  constexpr auto N = static_cast<int>(sizeof...(I));
  for (int r = 0; r < N; ++r) {
    if (r & Step) continue;
    Vector<T> a = rows[r], b = rows[r + Step];
    rows[r] = __builtin_shufflevector(a, b, (I & Step ? N + int(I) - Step : int(I))...);
    rows[r + Step] = __builtin_shufflevector(a, b, (I & Step ? N + int(I) : int(I) + Step)...);
  }
}

template <class T>
void turn(Vector<T>* rows) {
  constexpr std::make_index_sequence<kWidth<T>> lanes;
  if constexpr (kWidth<T> >= 16) exchange<8, T>(rows, lanes);
  if constexpr (kWidth<T> >= 8) exchange<4, T>(rows, lanes);
  if constexpr (kWidth<T> >= 4) exchange<2, T>(rows, lanes);
  exchange<1, T>(rows, lanes);
}

// to[p][i] = from[i][p] for kWidth columns i and `depth` rows p; rows of `to` are `width` apart.
template <class T>
void pack_turned(T* to, const T* from, int64_t depth, int64_t step, int64_t width) {
  constexpr int W = kWidth<T>;
  int64_t p = 0;
  for (; p + W <= depth; p += W) {
    Vector<T> rows[W];
    for (int i = 0; i < W; ++i) rows[i] = *reinterpret_cast<const Vector<T>*>(from + i * step + p);
    turn<T>(rows);
    for (int i = 0; i < W; ++i) *reinterpret_cast<Vector<T>*>(to + (p + i) * width) = rows[i];
  }
  for (; p < depth; ++p) {
    for (int i = 0; i < W; ++i) to[p * width + i] = from[i * step + p];
  }
}

// depth × width elements, in rows, from `real` columns `step` apart whose rows are `depth_step` apart; where
// there is no column, zeros.
template <class T>
void pack(T* to, const T* from, int64_t depth, int64_t depth_step, int64_t real, int64_t step,
          int64_t width) {
  constexpr int W = kWidth<T>;
  int64_t i = 0;
  for (; i + W <= real && depth_step == 1 && step != 1; i += W) {
    pack_turned(to + i, from + i * step, depth, step, width);
  }
  for (; i + W <= real && step == 1; i += W) {
    for (int64_t p = 0; p < depth; ++p) {
      *reinterpret_cast<Vector<T>*>(to + p * width + i) =
          *reinterpret_cast<const Vector<T>*>(from + p * depth_step + i);
    }
  }
  for (int64_t p = 0; p < depth && i < width; ++p) {
    for (int64_t j = i; j < width; ++j) to[p * width + j] = j < real ? from[p * depth_step + j * step] : T(0);
  }
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
