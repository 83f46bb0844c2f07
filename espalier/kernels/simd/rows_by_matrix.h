#pragma once

#include <espalier/core/threads.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/lanes.h>
#include <espalier/kernels/simd/scratch.h>

// Some rows times a matrix that is packed once and multiplied often, by one thread.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

#if defined(__AVX512F__)
constexpr int kPanelRows = 6, kPanelVectors = 4;  // sums in registers
#elif defined(__AVX2__)
constexpr int kPanelRows = 6, kPanelVectors = 1;  // of two registers each
#else
constexpr int kPanelRows = 3, kPanelVectors = 1;
#endif

// c[R rows, V vectors] (+)= a[R, depth] · b. Element (r, p) of a is at a[r * a_row + p * a_step]; b has V
// vectors side by side for each of depth. `last` lanes of the last vector are in c's memory.
template <class T, int R, int V>
void panel(int64_t depth, const T* a, int64_t a_row, int64_t a_step, const T* b, T* c, int64_t c_row,
           int64_t last, bool add) {
  constexpr int L = kLanes<T>;
  Vec<T> sum[R][V] = {};
  for (int r = 0; add && r < R; ++r) {
    for (int v = 0; v + 1 < V; ++v) sum[r][v] = load<T>(c + r * c_row + v * L);
    sum[r][V - 1] = load<T>(c + r * c_row + (V - 1) * L, last, T(0));
  }
  for (int64_t p = 0; p < depth; ++p, b += V * L, a += a_step) {
    Vec<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = load<T>(b + v * L);
    for (int r = 0; r < R; ++r) {
      for (int v = 0; v < V; ++v) sum[r][v] += a[r * a_row] * right[v];
    }
  }
#pragma GCC unroll 6  // so that the sums stay in registers
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v + 1 < V; ++v) store<T, T>(c + r * c_row + v * L, sum[r][v]);
    store<T, T>(c + r * c_row + (V - 1) * L, sum[r][V - 1], last);
  }
}

// b[depth, cols] in panels of kPanelVectors vectors (the last one fewer), which are gone through in blocks of
// kBlock depths that stay in the first cache while all rows use them.
template <class T>
class Matrix {
 public:
  Matrix(int64_t most_depth, int64_t cols)
      : depth_(most_depth), cols_(cols), data_(most_depth * ((cols + L - 1) / L * L)) {}

  // From b[p, j] at from[p * depth_step + j * col_step]; with a depth, fewer than the most.
  void pack(const T* from, int64_t depth_step, int64_t col_step, int64_t depth) {
    depth_ = depth;
    pack(from, depth_step, col_step);
  }
  void pack(const T* from, int64_t depth_step, int64_t col_step) {
    int64_t panels = (vectors() + kPanelVectors - 1) / kPanelVectors;
    parallel_for(panels, 1 + kPackGrain / (depth_ * L * kPanelVectors), [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) pack_panel(i * kPanelVectors, from, depth_step, col_step);
    });
  }

  // c (+)= a · b, `n` rows. Transposed: element (r, p) of a is at a[p * a_row + r].
  void multiply(int64_t n, const T* a, int64_t a_row, T* c, int64_t c_row, bool add) const {
    run(n, a, a_row, 1, c, c_row, add);
  }
  void multiply_transposed(int64_t n, const T* a, int64_t a_row, T* c, int64_t c_row, bool add) const {
    run(n, a, 1, a_row, c, c_row, add);
  }

 private:
  static constexpr int64_t L = kLanes<T>, kBlock = 128, kTurn = 16, kPackGrain = 16384;

  int64_t vectors() const { return (cols_ + L - 1) / L; }
  int64_t width_at(int64_t v) const { return vectors() - v < kPanelVectors ? vectors() - v : kPanelVectors; }

  void pack_panel(int64_t v, const T* from, int64_t depth_step, int64_t col_step) {
    int64_t width = width_at(v) * L, real = cols_ - v * L < width ? cols_ - v * L : width;
    T* to = data_ + v * L * depth_;
    from += v * L * col_step;
    for (int64_t p = 0; p < depth_; p += kTurn) {
      int64_t end = p + kTurn < depth_ ? p + kTurn : depth_;
      bool turn = depth_step == 1 && col_step != 1;
      if (turn) transpose_strip(sizeof(T), end - p, real, from + p, col_step, to + p * width, width);
      for (int64_t q = p; q < end; ++q) {
        int64_t j = turn ? real : 0;
        for (; col_step == 1 && j < real; ++j) to[q * width + j] = from[q * depth_step + j];
        for (; j < real; ++j) to[q * width + j] = from[q * depth_step + j * col_step];
        for (; j < width; ++j) to[q * width + j] = T(0);
      }
    }
  }

  void run(int64_t n, const T* a, int64_t a_row, int64_t a_step, T* c, int64_t c_row, bool add) const {
    int64_t groups = (n + kPanelRows - 1) / kPanelRows;
    const T* b = data_;
    for (int64_t v = 0; v < vectors(); v += kPanelVectors) {
      int64_t width = width_at(v), last = cols_ - (v + width - 1) * L;
      if (last > L) last = L;
      for (int64_t p = 0; p < depth_; p += kBlock) {
        int64_t depth = p + kBlock < depth_ ? kBlock : depth_ - p;
        for (int64_t g = 0; g < groups; ++g) {  // of nearly equal size
          int64_t row = n * g / groups, rows = n * (g + 1) / groups - row;
          any_panel<kPanelRows, kPanelVectors>(rows, width, depth, a + row * a_row + p * a_step, a_row,
                                               a_step, b, c + row * c_row + v * L, c_row, last, add || p > 0);
        }
        b += depth * width * L;
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
  Scratch<T> data_;
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
