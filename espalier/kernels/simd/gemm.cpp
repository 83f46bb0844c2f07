#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/simd/micro.h>

// The classical blocked product: a tile of c is computed by one thread from packed panels of a and b that
// stay in its caches, kRows × (up to) kVectors vectors of c at a time in registers.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int kDotRows = 4, kDotCols = 5;
constexpr int64_t kDotDepth = 2048;  // of one sum
constexpr int64_t kDepth = 256;      // of a packed panel
constexpr int64_t kTileRows = 72;    // multiples of kRows …
constexpr int64_t kTileCols = 256;   // … and of the longest row of vectors

// depth × width elements side by side from `real` columns `step` apart, the others zeros. Rows that lie in
// the direction of depth are turned in blocks that stay in the nearest cache.
template <class T>
void pack_panel(T* to, const T* from, int64_t depth, int64_t depth_step, int64_t real, int64_t step,
                int64_t width) {
  constexpr int64_t kBlock = 16;
  for (int64_t p = 0; p < depth; p += kBlock) {
    int64_t end = smaller(depth, p + kBlock);
    for (int64_t i = 0; step != 1 && i < real; ++i) {
      for (int64_t q = p; q < end; ++q) to[q * width + i] = from[i * step + q * depth_step];
    }
    for (int64_t q = p; q < end; ++q) {
      int64_t i = step == 1 ? 0 : real;
      for (; i + kWidth<T> <= real; i += kWidth<T>) {
        *reinterpret_cast<Vector<T>*>(to + q * width + i) =
            *reinterpret_cast<const Vector<T>*>(from + q * depth_step + i);
      }
      for (; i < real; ++i) to[q * width + i] = from[q * depth_step + i];
      for (; i < width; ++i) to[q * width + i] = T(0);
    }
  }
}

// `count` rows (or columns) as panels of `width`.
template <class T>
void pack(T* to, const T* from, int64_t depth, int64_t depth_step, int64_t count, int64_t step,
          int64_t width) {
  for (int64_t first = 0; first < count; first += width, to += width * depth) {
    pack_panel(to, from + first * step, depth, depth_step, smaller(width, count - first), step, width);
  }
}

// The part of c that [row, row + rows) × [col, col + cols) is.
template <class T>
void tile(const Gemm& g, int64_t row, int64_t rows, int64_t col, int64_t cols, T* packed) {
  constexpr int64_t kLongest = int64_t{kVectors} * kWidth<T>;
  const T* a = static_cast<const T*>(g.a) + row * g.a_row;
  const T* b = static_cast<const T*>(g.b) + col * g.b_col;
  T* c = static_cast<T*>(g.c) + row * g.c_row + col;
  T* packed_b = packed + kTileRows * kDepth;
  T edge[kRows * kLongest];
  for (int64_t p = 0; p < g.k; p += kDepth) {
    int64_t depth = smaller(kDepth, g.k - p);
    bool add = g.accumulate || p > 0;
    if (g.a_col != 1) pack(packed, a + p * g.a_col, depth, g.a_col, rows, g.a_row, kRows);
    for (int64_t j = 0; j < cols; j += kLongest) {
      int64_t width = smaller(kLongest, cols - j);
      auto vectors = static_cast<int>(ceil_div(width, kWidth<T>));
      pack(packed_b, b + p * g.b_row + j * g.b_col, depth, g.b_row, width, g.b_col,
           int64_t{vectors} * kWidth<T>);
      for (int64_t i = 0; i < rows; i += kRows) {
        T* to = c + i * g.c_row + j;
        int64_t height = smaller(kRows, rows - i);
        Left<T> left{{}, g.a_col == 1 ? 1 : kRows};
        for (int64_t r = 0; r < kRows; ++r) {  // rows that are not there repeat the last one
          left.row[r] =
              g.a_col == 1 ? a + p + (i + smaller(r, height - 1)) * g.a_row : packed + i * depth + r;
        }
        if (width == vectors * kWidth<T>) {
          micro(vectors, depth, left, packed_b, to, g.c_row, height, add);
          continue;
        }
        micro(vectors, depth, left, packed_b, edge, kLongest, height, false);
        for (int64_t r = 0; r < height; ++r) {
          for (int64_t s = 0; s < width; ++s)
            to[r * g.c_row + s] = edge[r * kLongest + s] + (add ? to[r * g.c_row + s] : 0);
        }
      }
    }
  }
}

// Few columns of long rows in both (x · weightᵀ of a classifier): dot products, R rows by C columns at a
// time.
template <class T, int R, int C>
void dots(const T* const* a, const T* b, int64_t b_col, int64_t depth, T (*out)[kDotCols]) {
  Vector<T> sum[R][C] = {};
  int64_t p = 0;
  for (; p + kWidth<T> <= depth; p += kWidth<T>) {
    Vector<T> right[C];
    for (int c = 0; c < C; ++c) right[c] = *reinterpret_cast<const Vector<T>*>(b + c * b_col + p);
    for (int r = 0; r < R; ++r) {
      Vector<T> left = *reinterpret_cast<const Vector<T>*>(a[r] + p);
      for (int c = 0; c < C; ++c) sum[r][c] += left * right[c];
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int c = 0; c < C; ++c) {
      T total = 0;
      for (int i = 0; i < kWidth<T>; ++i) total += sum[r][c][i];
      for (int64_t q = p; q < depth; ++q) total += a[r][q] * b[c * b_col + q];
      out[r][c] = total;
    }
  }
}

template <class T>
void dots(int64_t cols, const T* const* a, const T* b, int64_t b_col, int64_t depth, T (*out)[kDotCols]) {
  if (cols == 1) return dots<T, kDotRows, 1>(a, b, b_col, depth, out);
  if (cols == 2) return dots<T, kDotRows, 2>(a, b, b_col, depth, out);
  if (cols == 3) return dots<T, kDotRows, 3>(a, b, b_col, depth, out);
  if (cols == 4) return dots<T, kDotRows, 4>(a, b, b_col, depth, out);
  dots<T, kDotRows, kDotCols>(a, b, b_col, depth, out);
}

template <class T>
void by_dots(const Gemm& g) {
  parallel_for(ceil_div(g.m, kDotRows), 1 + 40000 / (g.n * g.k), [&](int64_t begin, int64_t end) {
    T out[kDotRows][kDotCols];
    const T* a[kDotRows];
    for (int64_t i = begin * kDotRows; i < smaller(g.m, end * kDotRows); i += kDotRows) {
      int64_t rows = smaller(kDotRows, g.m - i);
      for (int64_t p = 0; p < g.k; p += kDotDepth) {
        bool add = g.accumulate || p > 0;
        for (int64_t r = 0; r < kDotRows; ++r) {
          a[r] = static_cast<const T*>(g.a) + (i + smaller(r, rows - 1)) * g.a_row + p;
        }
        for (int64_t j = 0; j < g.n; j += kDotCols) {
          int64_t cols = smaller(kDotCols, g.n - j);
          dots(cols, a, static_cast<const T*>(g.b) + j * g.b_col + p, g.b_col, smaller(kDotDepth, g.k - p),
               out);
          T* c = static_cast<T*>(g.c) + i * g.c_row + j;
          for (int64_t at = 0; at < rows * cols; ++at) {
            T& to = c[at / cols * g.c_row + at % cols];
            to = out[at / cols][at % cols] + (add ? to : T(0));
          }
        }
      }
    }
  });
}

template <class T>
void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0 && !g.accumulate) {
    for (int64_t i = 0; i < g.m * g.n; ++i) static_cast<T*>(g.c)[i / g.n * g.c_row + i % g.n] = T(0);
    return;
  }
  if (g.n <= 4 * kDotCols && g.k >= 256 && g.a_col == 1 && g.b_row == 1) return by_dots<T>(g);
  constexpr int64_t kLongest = int64_t{kVectors} * kWidth<T>;
  constexpr size_t bytes = (kTileRows + kLongest) * kDepth * sizeof(T);
  int64_t rows = kTileRows, cols = kTileCols;
  bool large = g.m * g.n * g.k > 40000;  // worth more than one thread
  auto tiles = [&] { return ceil_div(g.m, rows) * ceil_div(g.n, cols); };
  while (large && tiles() < 8 && cols > kLongest) cols /= 2;
  while (large && tiles() < 8 && rows > 2 * kRows) rows = ceil_div(rows / 2, kRows) * kRows;
  int64_t across = ceil_div(g.n, cols);
  parallel_for(tiles(), large ? 1 : tiles(), [&](int64_t begin, int64_t end) {
    T* packed = static_cast<T*>(allocate(bytes));
    for (int64_t t = begin; t < end; ++t) {
      int64_t row = t / across * rows, col = t % across * cols;
      tile(g, row, smaller(rows, g.m - row), col, smaller(cols, g.n - col), packed);
    }
    deallocate(packed, bytes);
  });
}

}  // namespace

ESPALIER_OFFER(gemm_float, gemm<float>)
ESPALIER_OFFER(gemm_double, gemm<double>)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
