#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/simd/block.h>
#include <espalier/kernels/simd/dots.h>
#include <espalier/kernels/simd/pack.h>
#include <espalier/kernels/simd/streams.h>

// The classical blocked product (Goto and van de Geijn 2008): a tile of c belongs to one thread, which takes
// it panel by panel; what it reads again and again is packed and stays in its caches.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kDepth = 192;     // of a packed panel: kWide vectors of it fit into the nearest cache
constexpr int64_t kTileRows = 240;  // a multiple of kHigh
constexpr int64_t kTileVectors = 48;
constexpr int64_t kWorthThreads = 300000;  // multiply-adds
constexpr int64_t kFewRows = 2 * kHigh;    // for which copying b does not pay
constexpr int64_t kSmall = 2048;           // elements packed on the stack

struct Part {
  int64_t first, count;
};
// Part `i` of `total` in `parts` alike.
Part part(int64_t total, int64_t parts, int64_t i) {
  int64_t first = total * i / parts;
  return {first, total * (i + 1) / parts - first};
}

// How many vectors of the `left` ones the next panel takes: never a single one where that can be helped, it
// keeps the processor waiting for its sums.
int64_t panel_vectors(int64_t left) { return left == kWide + 1 && kWide > 2 ? 2 : smaller(left, kWide); }

// The elements of b that the next panel is made of: fetched into the second cache while this one is worked
// on.
struct Ahead {
  const char* first = nullptr;
  int64_t runs = 0, step = 0, bytes = 0;  // that lie side by side

  void fetch(int64_t i, int64_t parts) const {
    for (Part p = part(runs, parts, i); p.count > 0; ++p.first, --p.count) {
      for (int64_t at = 0; at < bytes; at += 64) __builtin_prefetch(first + p.first * step + at, 0, 2);
    }
  }
};

template <class T>
class Tiles {
 public:
  explicit Tiles(const Gemm& g) : g_(g), vectors_(ceil_div(g.n, W)) {
    down_ = ceil_div(g.m, kTileRows), across_ = ceil_div(vectors_, kTileVectors);
    pack_a_ = g.a_col != 1 && g.n > kWide * W;
    pack_b_ = g.b_col != 1 || g.m > kFewRows;
  }

  void run() {
    bool large =
        static_cast<double>(g_.m) * static_cast<double>(g_.n) * static_cast<double>(g_.k) > kWorthThreads;
    if (large) divide_among(get_num_threads());
    int64_t tiles = down_ * across_;
    parallel_for(tiles, large ? 1 : tiles, [&](int64_t begin, int64_t end) {
      int64_t rows = ceil_div(g_.m, down_), depth = smaller(kDepth, g_.k);
      int64_t a_size = pack_a_ ? ceil_div(rows, kHigh) * kHigh * depth : 0;
      int64_t size = a_size + depth * kWide * W;
      alignas(64) T few[kSmall];
      auto bytes = static_cast<size_t>(size) * sizeof(T);
      T* memory = size <= kSmall ? few : static_cast<T*>(allocate(bytes));
      for (int64_t t = begin; t < end; ++t) {
        tile(part(g_.m, down_, t % down_), part(vectors_, across_, t / down_), memory, memory + a_size);
      }
      if (memory != few) deallocate(memory, bytes);
    });
  }

 private:
  static constexpr int W = kWidth<T>;

  // More tiles until each thread gets as many as the others, by columns where there are enough: each thread
  // then packs its own.
  void divide_among(int64_t threads) {
    for (int64_t n = across_; n < across_ + threads && vectors_ / n >= kWide; ++n) {
      if (down_ * n % threads == 0) return void(across_ = n);
    }
    for (int64_t n = down_; n < down_ + threads && g_.m / n >= kHigh; ++n) {
      if (across_ * n % threads == 0) return void(down_ = n);
    }
  }

  void tile(Part rows, Part vectors, T* packed_a, T* packed_b) const {
    for (int64_t p = 0; p < g_.k; p += kDepth) {
      int64_t depth = smaller(kDepth, g_.k - p);
      const T* a = static_cast<const T*>(g_.a) + rows.first * g_.a_row + p * g_.a_col;
      for (int64_t i = 0; pack_a_ && i < rows.count; i += kHigh) {
        pack(packed_a + i * depth, a + i * g_.a_row, depth, g_.a_col, smaller(kHigh, rows.count - i),
             g_.a_row, kHigh);
      }
      for (int64_t v = 0, n = 0; v < vectors.count; v += n) {
        n = panel_vectors(vectors.count - v);
        int64_t left = vectors.count - v - n;
        Ahead next = ahead({vectors.first + v + n, left ? panel_vectors(left) : 0}, p, depth);
        panel(rows, {vectors.first + v, n}, p, depth, pack_a_ ? packed_a : a, packed_b, next);
      }
    }
  }

  Ahead ahead(Part vectors, int64_t p, int64_t depth) const {
    int64_t col = vectors.first * W, real = smaller(vectors.count * W, g_.n - col);
    auto* b = reinterpret_cast<const char*>(static_cast<const T*>(g_.b) + p * g_.b_row + col * g_.b_col);
    constexpr int64_t S = sizeof(T);
    if (vectors.count == 0) return {};
    if (g_.b_row == 1) return {b, real, g_.b_col * S, depth * S};
    return {b, depth, g_.b_row * S, real * S};
  }

  // The products of depth [p, p + depth) for some vectors of all rows.
  void panel(Part rows, Part vectors, int64_t p, int64_t depth, const T* a, T* packed_b,
             const Ahead& next) const {
    int64_t col = vectors.first * W, width = vectors.count * W, real = smaller(width, g_.n - col);
    const T* b = static_cast<const T*>(g_.b) + p * g_.b_row + col * g_.b_col;
    bool packed = pack_b_ || real < width;
    if (packed) pack(packed_b, b, depth, g_.b_row, real, g_.b_col, width);
    bool last = p + depth == g_.k;
    Block<T> x{depth,
               a,
               g_.a_row,
               g_.a_col,
               packed ? packed_b : b,
               packed ? width : g_.b_row,
               nullptr,
               g_.c_row,
               g_.accumulate || p > 0,
               last && g_.bias ? static_cast<const T*>(g_.bias) + col : nullptr,
               last && g_.relu};
    int64_t blocks = ceil_div(rows.count, kHigh);
    for (int64_t i = 0; i < rows.count; i += kHigh) {
      next.fetch(i / kHigh, blocks);
      int64_t height = smaller(kHigh, rows.count - i);
      if (pack_a_) x.a = a + i * depth, x.a_row = 1, x.a_col = kHigh;
      else x.a = a + i * g_.a_row;
      x.c = static_cast<T*>(g_.c) + (rows.first + i) * g_.c_row + col;
      if (real == width) block(height, vectors.count, x);
      else edge(height, vectors.count, real, x);
    }
  }

  // A block whose last vector is cut off by the end of c's rows.
  static void edge(int64_t rows, int64_t vectors, int64_t real, Block<T> x) {
    T whole[kHigh * kWide * W], bias[kWide * W] = {};
    T* c = x.c;
    int64_t c_row = x.c_row, width = vectors * W;
    for (int64_t r = 0; x.accumulate && r < rows; ++r) {
      for (int64_t j = 0; j < width; ++j) whole[r * width + j] = j < real ? c[r * c_row + j] : T(0);
    }
    for (int64_t j = 0; x.bias && j < real; ++j) bias[j] = x.bias[j];
    if (x.bias) x.bias = bias;
    x.c = whole, x.c_row = width;
    block(rows, vectors, x);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t j = 0; j < real; ++j) c[r * c_row + j] = whole[r * width + j];
    }
  }

  const Gemm& g_;
  int64_t vectors_;  // in a row of c
  int64_t down_, across_;
  bool pack_a_, pack_b_;
};

// c without products: nothing, or zeros, and the bias.
template <class T>
void no_products(const Gemm& g) {
  for (int64_t i = 0; i < g.m * g.n; ++i) {
    T& c = static_cast<T*>(g.c)[i / g.n * g.c_row + i % g.n];
    T y = (g.accumulate ? c : T(0)) + (g.bias ? static_cast<const T*>(g.bias)[i % g.n] : T(0));
    c = g.relu ? rectified(y) : y;
  }
}

template <class T>
void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k == 0) return no_products<T>(g);
  bool thin = (g.n <= 4 * kDotCols && g.k >= 256) || (g.m <= kFewRows && g.k >= 64);
  if (thin && g.a_col == 1 && g.b_row == 1) return by_dots<T>(g);
  if (!streams_pay<T>(g)) return Tiles<T>(g).run();
  int64_t done = by_streams<T>(g);
  Gemm rest = g;
  rest.n -= done;
  rest.b = static_cast<const T*>(g.b) + done;
  rest.c = static_cast<T*>(g.c) + done;
  if (rest.n > 0) Tiles<T>(rest).run();
}

}  // namespace

ESPALIER_OFFER(gemm_float, gemm<float>)
ESPALIER_OFFER(gemm_double, gemm<double>)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
