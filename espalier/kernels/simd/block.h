#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <utility>

#include <espalier/kernels/simd/micro.h>

// The heart of gemm: a block of the result, up to kHigh rows by kWide vectors, is summed in registers.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kHigh = 8, kWide = 3;
#else
constexpr int kHigh = 6, kWide = 2;
#endif

template <class T>
struct Block {
  int64_t depth;
  const T* a;  // rows a_row apart
  int64_t a_row, a_col;
  const T* b;  // whole vectors, b_row apart
  int64_t b_row;
  T* c;
  int64_t c_row;
  bool accumulate;
  const T* bias;  // added to every row; may be null
  bool relu;      // of the result
};

template <class T>
Vector<T>& vector_at(T* p) {
  return *reinterpret_cast<Vector<T>*>(p);
}
template <class T>
const Vector<T>& vector_at(const T* p) {
  return *reinterpret_cast<const Vector<T>*>(p);
}

template <class T>
T rectified(T x) {
  return x < 0 ? T{} : x;
}

template <class T, int R, int V>
void block(const Block<T>& x) {
  constexpr int W = kWidth<T>;
  Vector<T> sum[R][V] = {};
  const T* row[R];
  for (int r = 0; r < R; ++r) row[r] = x.a + r * x.a_row;
  const T* b = x.b;
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) __builtin_prefetch(x.c + r * x.c_row + v * W, 1);
  }
#pragma GCC unroll 4
  for (int64_t p = 0, at = 0; p < x.depth; ++p, at += x.a_col, b += x.b_row) {
    Vector<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = vector_at(b + v * W);
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V; ++v) sum[r][v] += row[r][at] * right[v];
    }
  }
#pragma GCC unroll 8  // so that the sums stay in registers
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      Vector<T>& to = vector_at(x.c + r * x.c_row + v * W);
      Vector<T> y = x.accumulate ? to + sum[r][v] : sum[r][v];
      if (x.bias) y += vector_at(x.bias + v * W);
      to = x.relu ? rectified(y) : y;
    }
  }
}

// block<T, rows, vectors>
template <class T>
void block(int64_t rows, int64_t vectors, const Block<T>& x) {
  using Function = void (*)(const Block<T>&);
  static constexpr auto kAll = []<int... I>(std::integer_sequence<int, I...>) {
    return std::array<Function, sizeof...(I)>{block<T, I / kWide + 1, I % kWide + 1>...};
  }
  (std::make_integer_sequence<int, kHigh * kWide>());
  kAll[static_cast<std::size_t>((rows - 1) * kWide + vectors - 1)](x);
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
