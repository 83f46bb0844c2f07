#pragma once

#include <cstdint>

#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/simd/block.h>

// Products of few rows or few columns, long in both (x · weightᵀ of a classifier, or of one image), as dot
// products: no element is copied, and each is read a few times only.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int kDotRows = 4, kDotCols = 5;
constexpr int64_t kDotDepth = 2048;   // of one sum
constexpr int64_t kDotWork = 100000;  // multiply-adds that a thread should have at least

// The parts of R rows and C columns.
template <class T, int R, int C>
void dots(const T* a, int64_t a_row, const T* b, int64_t b_col, int64_t depth, T* out) {
  constexpr int W = kWidth<T>;
  Vector<T> sum[R][C] = {};
  int64_t p = 0;
  for (; p + W <= depth; p += W) {
    Vector<T> right[C];
    for (int c = 0; c < C; ++c) right[c] = vector_at(b + c * b_col + p);
    for (int r = 0; r < R; ++r) {
      Vector<T> left = vector_at(a + r * a_row + p);
      for (int c = 0; c < C; ++c) sum[r][c] += left * right[c];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      T total = 0;
      for (int i = 0; i < W; ++i) total += sum[r][c][i];
      for (int64_t q = p; q < depth; ++q) total += a[r * a_row + q] * b[c * b_col + q];
      out[r * kDotCols + c] = total;
    }
  }
}

template <class T>
void dots(int64_t rows, int64_t cols, const T* a, int64_t a_row, const T* b, int64_t b_col, int64_t depth,
          T* out) {
  using Function = void (*)(const T*, int64_t, const T*, int64_t, int64_t, T*);
  static constexpr auto kAll = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Function, sizeof...(I)>{dots<T, I / kDotCols + 1, I % kDotCols + 1>...};
  }
  (std::make_integer_sequence<int, kDotRows * kDotCols>());
  kAll[static_cast<size_t>((rows - 1) * kDotCols + cols - 1)](a, a_row, b, b_col, depth, out);
}

constexpr int kGroups = 4;  // of columns, that are multiplied with a part of the rows while it is near

// Rows [row, row + rows) of columns [col, col + cols), at most kDotRows × (kGroups · kDotCols).
template <class T>
void dot_block(const Gemm& g, int64_t row, int64_t rows, int64_t col, int64_t cols) {
  constexpr int kSums = kDotRows * kDotCols;
  int64_t width = ceil_div(cols, ceil_div(cols, kDotCols));  // of a group; all are nearly equal
  T sums[kGroups][kSums] = {}, part[kSums];
  const T* a = static_cast<const T*>(g.a) + row * g.a_row;
  const T* b = static_cast<const T*>(g.b) + col * g.b_col;
  for (int64_t p = 0; p < g.k; p += kDotDepth) {
    int64_t depth = smaller(kDotDepth, g.k - p);
    for (int64_t j = 0; j < cols; j += width) {
      T* sum = sums[j / width];
      dots(rows, smaller(width, cols - j), a + p, g.a_row, b + j * g.b_col + p, g.b_col, depth, part);
      for (int i = 0; i < kSums; ++i) sum[i] = p == 0 ? part[i] : sum[i] + part[i];
    }
  }
  const T* bias = static_cast<const T*>(g.bias);
  for (int64_t r = 0; r < rows; ++r) {
    T* c = static_cast<T*>(g.c) + (row + r) * g.c_row + col;
    for (int64_t j = 0; j < cols; ++j) {
      T y = sums[j / width][r * kDotCols + j % width] + (g.accumulate ? c[j] : T(0));
      if (bias) y += bias[col + j];
      c[j] = g.relu ? rectified(y) : y;
    }
  }
}

// Threads that share out the columns have as many each, which may stay in their caches; few columns are not
// worth fetching the rows from another thread's cache.
template <class T>
void by_dots(const Gemm& g) {
  constexpr int64_t kFewCols = 32;
  int64_t threads = get_num_threads(), down = ceil_div(g.m, kDotRows);
  int64_t shares = smaller(ceil_div(threads, down), ceil_div(g.n, kFewCols));
  int64_t cols = ceil_div(g.n, ceil_div(ceil_div(g.n, kGroups * kDotCols), shares) * shares);
  int64_t tasks = down * ceil_div(g.n, cols), parts = smaller(threads, 1 + g.m * g.n * g.k / kDotWork);
  parallel_for(tasks, ceil_div(tasks, parts), [&](int64_t begin, int64_t end) {
    for (int64_t t = begin; t < end; ++t) {
      int64_t row = t % down * kDotRows, col = t / down * cols;
      dot_block<T>(g, row, smaller(kDotRows, g.m - row), col, smaller(cols, g.n - col));
    }
  });
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
