#pragma once

#include <cstdint>

// The heart of products of matrices: kRows × (up to) kVectors vectors of the result at a time in registers.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kBytes = 64, kVectors = 4;
#elif defined(__AVX2__)
constexpr int kBytes = 32, kVectors = 2;
#else
constexpr int kBytes = 16, kVectors = 2;
#endif
constexpr int kRows = 6;
constexpr int kThree = kVectors < 3 ? kVectors : 3;

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int kWidth = kBytes / sizeof(T);

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// Where the elements of kRows rows of a stand: (r, p) at row[r][p * step].
template <class T>
struct Left {
  const T* row[kRows];
  int64_t step;
};

// left: kRows × depth, b: depth × (V vectors), packed; c: `rows` of them × V vectors.
template <class T, int V>
void micro(int64_t depth, const Left<T>& left, const T* b, T* c, int64_t c_row, int64_t rows,
           bool accumulate) {
  Vector<T> sum[kRows][V] = {};
  const T* a[kRows];
  for (int r = 0; r < kRows; ++r) a[r] = left.row[r];
  for (int64_t p = 0, at = 0; p < depth; ++p, at += left.step, b += V * kWidth<T>) {
    Vector<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = *reinterpret_cast<const Vector<T>*>(b + v * kWidth<T>);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < V; ++v) sum[r][v] += a[r][at] * right[v];
    }
  }
#pragma GCC unroll 6  // so that the sums stay in registers
  for (int r = 0; r < kRows; ++r) {
    if (r >= rows) continue;
    for (int v = 0; v < V; ++v) {
      auto* to = reinterpret_cast<Vector<T>*>(c + r * c_row + v * kWidth<T>);
      *to = accumulate ? *to + sum[r][v] : sum[r][v];
    }
  }
}

template <class T>
void micro(int vectors, int64_t depth, const Left<T>& a, const T* b, T* c, int64_t c_row, int64_t rows,
           bool accumulate) {
  if (vectors == 1) return micro<T, 1>(depth, a, b, c, c_row, rows, accumulate);
  if (vectors == 2 || kVectors == 2) return micro<T, 2>(depth, a, b, c, c_row, rows, accumulate);
  if (vectors == 3) return micro<T, kThree>(depth, a, b, c, c_row, rows, accumulate);
  micro<T, kVectors>(depth, a, b, c, c_row, rows, accumulate);
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
