#pragma once

#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/simd/lanes.h>

// Some rows times a matrix that is packed once and multiplied often. For one thread.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kPanelRows = 6, kPanelVectors = 4;  // sums in registers
#elif defined(__AVX2__)
constexpr int kPanelRows = 6, kPanelVectors = 1;  // of two registers each
#else
constexpr int kPanelRows = 3, kPanelVectors = 1;
#endif

// c[R rows, V vectors] (+)= a[R, depth] · b, which has V vectors side by side for each of depth. `last` lanes
// of the last vector are in memory.
template <class T, int R, int V>
void panel(int64_t depth, const T* a, int64_t a_row, const T* b, T* c, int64_t c_row, int64_t last,
           bool add) {
  constexpr int L = kLanes<T>;
  Vec<T> sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] = !add        ? Vec<T>{}
                  : v + 1 < V ? load<T>(c + r * c_row + v * L)
                              : load<T>(c + r * c_row + v * L, last, T(0));
    }
  }
  for (int64_t p = 0; p < depth; ++p, b += V * L) {
    Vec<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = load<T>(b + v * L);
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V; ++v) sum[r][v] += a[r * a_row + p] * right[v];
    }
  }
#pragma GCC unroll 6  // so that the sums stay in registers
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v + 1 < V; ++v) store<T, T>(c + r * c_row + v * L, sum[r][v]);
    store<T, T>(c + r * c_row + (V - 1) * L, sum[r][V - 1], last);
  }
}

// b[depth, cols] in panels of kPanelVectors vectors (the last one fewer), each in blocks of kBlock depths
// that stay in the first cache while all rows use them.
template <class T>
class Matrix {
 public:
  Matrix(int64_t depth, int64_t cols)
      : depth_(depth), cols_(cols), bytes_(static_cast<size_t>(depth * vectors() * L) * sizeof(T)) {
    data_ = static_cast<T*>(allocate(bytes_));
  }
  ~Matrix() { deallocate(data_, bytes_); }
  Matrix(const Matrix&) = delete;
  Matrix& operator=(const Matrix&) = delete;

  // From b[p, j] at from[p * depth_step + j * col_step].
  void pack(const T* from, int64_t depth_step, int64_t col_step) {
    parallel_for((vectors() + kPanelVectors - 1) / kPanelVectors, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) pack_panel(i * kPanelVectors, from, depth_step, col_step);
    });
  }

  // c (+)= a · b, `n` rows.
  void multiply(int64_t n, const T* a, int64_t a_row, T* c, int64_t c_row, bool add) const {
    int64_t groups = (n + kPanelRows - 1) / kPanelRows;
    const T* b = data_;
    for (int64_t v = 0; v < vectors(); v += kPanelVectors) {
      int64_t width = width_at(v), last = cols_ - (v + width - 1) * L;
      if (last > L) last = L;
      for (int64_t p = 0; p < depth_; p += kBlock) {
        int64_t depth = p + kBlock < depth_ ? kBlock : depth_ - p;
        for (int64_t g = 0; g < groups; ++g) {  // of nearly equal size
          int64_t row = n * g / groups, rows = n * (g + 1) / groups - row;
          any_panel<kPanelRows, kPanelVectors>(rows, width, depth, a + row * a_row + p, a_row, b,
                                               c + row * c_row + v * L, c_row, last, add || p > 0);
        }
        b += depth * width * L;
      }
    }
  }

 private:
  static constexpr int64_t L = kLanes<T>, kBlock = 128, kTurn = 16;

  int64_t vectors() const { return (cols_ + L - 1) / L; }
  int64_t width_at(int64_t v) const { return vectors() - v < kPanelVectors ? vectors() - v : kPanelVectors; }

  // Columns that lie in the direction of depth are turned in blocks that stay in the nearest cache.
  void pack_panel(int64_t v, const T* from, int64_t depth_step, int64_t col_step) {
    int64_t width = width_at(v) * L, real = cols_ - v * L < width ? cols_ - v * L : width;
    T* to = data_ + v * L * depth_;
    from += v * L * col_step;
    for (int64_t p = 0; p < depth_; p += kTurn) {
      int64_t end = p + kTurn < depth_ ? p + kTurn : depth_;
      for (int64_t j = 0; col_step != 1 && j < real; ++j) {
        for (int64_t q = p; q < end; ++q) to[q * width + j] = from[j * col_step + q * depth_step];
      }
      for (int64_t q = p; q < end; ++q) {
        int64_t j = col_step == 1 ? 0 : real;
        for (; j < real; ++j) to[q * width + j] = from[q * depth_step + j];
        for (; j < width; ++j) to[q * width + j] = T(0);
      }
    }
  }

  // The panel for numbers of rows and vectors that are known when it runs.
  template <int R, int V, class... A>
  static void any_panel(int64_t rows, int64_t width, A... arguments) {
    if constexpr (R > 1) {
      if (rows < R) return any_panel<R - 1, V>(rows, width, arguments...);
    }
    if constexpr (V > 1) {
      if (width < V) return any_panel<R, V - 1>(rows, width, arguments...);
    }
    panel<T, R, V>(arguments...);
  }

  int64_t depth_, cols_;
  size_t bytes_;
  T* data_;
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
