#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>

// The classical blocked product: a tile of c is computed by one thread from packed panels of a and b that
// stay in its caches, kRows × (up to) kVectors vectors of c at a time in registers.
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
constexpr int64_t kDepth = 256;     // of a packed panel
constexpr int64_t kTileRows = 72;   // multiples of kRows …
constexpr int64_t kTileCols = 256;  // … and of the longest row of vectors

template <class T>
struct VectorOf {
  typedef T type __attribute__((vector_size(kBytes), aligned(sizeof(T)), may_alias));
};
template <class T>
using Vector = typename VectorOf<T>::type;
template <class T>
constexpr int kWidth = kBytes / sizeof(T);

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// a: depth × kRows, b: depth × (V vectors), both packed; c: kRows × V vectors.
template <class T, int V>
void micro(int64_t depth, const T* a, const T* b, T* c, int64_t c_row, bool accumulate) {
  Vector<T> sum[kRows][V] = {};
  for (int64_t p = 0; p < depth; ++p, a += kRows, b += V * kWidth<T>) {
    Vector<T> right[V];
    for (int v = 0; v < V; ++v) right[v] = *reinterpret_cast<const Vector<T>*>(b + v * kWidth<T>);
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < V; ++v) sum[r][v] += a[r] * right[v];
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < V; ++v) {
      auto* to = reinterpret_cast<Vector<T>*>(c + r * c_row + v * kWidth<T>);
      *to = accumulate ? *to + sum[r][v] : sum[r][v];
    }
  }
}

template <class T>
void micro(int vectors, int64_t depth, const T* a, const T* b, T* c, int64_t c_row, bool accumulate) {
  if (vectors == 1) return micro<T, 1>(depth, a, b, c, c_row, accumulate);
  if (vectors == 2 || kVectors == 2) return micro<T, 2>(depth, a, b, c, c_row, accumulate);
  if (vectors == 3) return micro < T, kVectors == 2 ? 2 : 3 > (depth, a, b, c, c_row, accumulate);
  micro<T, kVectors>(depth, a, b, c, c_row, accumulate);
}

// `count` rows (or columns) of `width` together, the last filled up with zeros.
template <class T>
void pack(T* to, const T* from, int64_t depth, int64_t depth_step, int64_t count, int64_t step,
          int64_t width) {
  for (int64_t first = 0; first < count; first += width, to += width * depth) {
    int64_t real = smaller(width, count - first);
    for (int64_t p = 0; p < depth; ++p) {
      const T* at = from + first * step + p * depth_step;
      for (int64_t i = 0; i < width; ++i) to[p * width + i] = i < real ? at[i * step] : T(0);
    }
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
    pack(packed, a + p * g.a_col, depth, g.a_col, rows, g.a_row, kRows);
    for (int64_t j = 0; j < cols; j += kLongest) {
      int64_t width = smaller(kLongest, cols - j);
      auto vectors = static_cast<int>(ceil_div(width, kWidth<T>));
      pack(packed_b, b + p * g.b_row + j * g.b_col, depth, g.b_row, width, g.b_col,
           int64_t{vectors} * kWidth<T>);
      for (int64_t i = 0; i < rows; i += kRows) {
        T* to = c + i * g.c_row + j;
        int64_t height = smaller(kRows, rows - i);
        if (height == kRows && width == vectors * kWidth<T>) {
          micro(vectors, depth, packed + i * depth, packed_b, to, g.c_row, add);
          continue;
        }
        micro(vectors, depth, packed + i * depth, packed_b, edge, kLongest, false);
        for (int64_t r = 0; r < height; ++r) {
          for (int64_t s = 0; s < width; ++s)
            to[r * g.c_row + s] = edge[r * kLongest + s] + (add ? to[r * g.c_row + s] : 0);
        }
      }
    }
  }
}

template <class T>
void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0 && !g.accumulate) {
    for (int64_t i = 0; i < g.m * g.n; ++i) static_cast<T*>(g.c)[i / g.n * g.c_row + i % g.n] = T(0);
    return;
  }
  constexpr int64_t kLongest = int64_t{kVectors} * kWidth<T>;
  constexpr size_t bytes = (kTileRows + kLongest) * kDepth * sizeof(T);
  int64_t rows = kTileRows, cols = kTileCols;
  bool large = g.m * g.n * g.k > 40000;  // worth more than one thread
  auto tiles = [&] { return ceil_div(g.m, rows) * ceil_div(g.n, cols); };
  while (large && tiles() < 8 && rows > 2 * kRows) rows = ceil_div(rows / 2, kRows) * kRows;
  while (large && tiles() < 8 && cols > kLongest) cols /= 2;
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
