#pragma once

#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/simd/block.h>
#include <espalier/kernels/simd/denormals.h>
#include <espalier/kernels/simd/scratch.h>

// Products of few rows with a large matrix whose rows lie side by side (the gradient of a classifier's
// weights): it is read once, some of its rows at a time, and the sums of a strip of columns stay in the first
// cache. Columns of many rows, often 2^n apart, would have the same place in the caches.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kStripVectors = 32, kStripRows = 4;  // columns of a strip; rows at a time

template <class T>
struct Strip {
  const Gemm& g;
  int64_t column;
  T* sums;  // g.m rows of kStripVectors vectors

  // Rows [p, p + R) of b.
  template <int R>
  void add(int64_t p) const {
    constexpr int W = kWidth<T>;
    auto* a = static_cast<const T*>(g.a) + p * g.a_col;
    auto* b = static_cast<const T*>(g.b) + p * g.b_row + column;
    for (int64_t v = 0; v < kStripVectors; v += 2) {
      Vector<T> right[R][2];
      for (int r = 0; r < R; ++r) {
        for (int i = 0; i < 2; ++i) right[r][i] = vector_at(b + r * g.b_row + (v + i) * W);
        if (p + r + kStripRows < g.k) {
          for (int i = 0; i < 2; ++i) __builtin_prefetch(b + (r + kStripRows) * g.b_row + (v + i) * W);
        }
      }
      for (int64_t row = 0; row < g.m; ++row) {
        T* to = sums + (row * kStripVectors + v) * W;
        Vector<T> sum[2] = {vector_at(to), vector_at(to + W)};
        for (int r = 0; r < R; ++r) {
          T left = a[row * g.a_row + r * g.a_col];
          sum[0] += left * right[r][0], sum[1] += left * right[r][1];
        }
        vector_at(to) = sum[0], vector_at(to + W) = sum[1];
      }
    }
  }

  void run() const {
    constexpr int64_t n = kStripVectors * kWidth<T>;
    for (int64_t i = 0; i < g.m * n; ++i) sums[i] = 0;
    int64_t p = 0;
    for (; p + kStripRows <= g.k; p += kStripRows) add<kStripRows>(p);
    for (; p < g.k; ++p) add<1>(p);
    T* c = static_cast<T*>(g.c) + column;
    for (int64_t row = 0; row < g.m; ++row) {
      __builtin_memcpy(c + row * g.c_row, sums + row * n, static_cast<size_t>(n) * sizeof(T));
    }
  }
};

// Whether g is such a product, without anything to be added.
template <class T>
bool streams_pay(const Gemm& g) {
  constexpr int64_t kMostRows = 16, kFewDepths = 16, kLarge = 1 << 18;  // elements of b
  return g.m <= kMostRows && g.k >= kFewDepths && g.n * g.k >= kLarge && g.b_col == 1 && !g.accumulate &&
         !g.bias && !g.relu;
}

// Columns [0, n) for the largest n that strips fill. Returns n.
template <class T>
int64_t by_streams(const Gemm& g) {
  constexpr int64_t kColumns = kStripVectors * kWidth<T>;
  parallel_for(g.n / kColumns, 1, [&](int64_t begin, int64_t end) {
    NoDenormals flush;  // few rows are often gradients of a classifier that is as good as certain
    Scratch<T> sums(g.m * kColumns);
    for (int64_t i = begin; i < end; ++i) Strip<T>{g, i * kColumns, sums}.run();
  });
  return g.n / kColumns * kColumns;
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
