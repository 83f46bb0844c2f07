#include <espalier/core/threads.h>
#include <espalier/kernels/amx/block.h>
#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/simd/scratch.h>

// The matrix with fewer items, or a chunk of it, is packed whole and stays in the second cache; each thread
// packs the other one panel by panel.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kInnerBytes = 768 << 10;
constexpr int64_t kDepth = 800;        // of a panel, at most
constexpr double kTurnsOfResult = 96;  // depths of a source that take as long to turn as the result's columns

// The four squares of the block are turned, and exchanged across the diagonal.
void turn_block(float* sums) {
  auto square = [&](int64_t r, int64_t c) { return sums + r * kSide * kBlockSide + c * kSide; };
  auto load = [](Floats* v, const float* from) {
    for (int64_t i = 0; i < kSide; ++i) v[i] = *reinterpret_cast<const Floats*>(from + i * kBlockSide);
    turn<float>(v);
  };
  auto store = [](float* to, const Floats* v) {
    for (int64_t i = 0; i < kSide; ++i) *reinterpret_cast<Floats*>(to + i * kBlockSide) = v[i];
  };
  Floats a[kSide], b[kSide];
  for (int64_t i = 0; i < 2; ++i) load(a, square(i, i)), store(square(i, i), a);
  load(a, square(0, 1)), load(b, square(1, 0));
  store(square(1, 0), a), store(square(0, 1), b);
}

// A vector of c from its sums.
inline void store_lane_sums(float* c, Floats v, const float* bias, const Gemm& g, int64_t count) {
  if (g.accumulate) v += load_lanes_of(c, 1, count);
  if (bias) v += load_lanes_of(bias, 1, count);
  if (g.relu) v = v < 0 ? Floats{} : v;
  if (count == kSide) *reinterpret_cast<Floats*>(c) = v;
  else __builtin_memcpy(c, &v, static_cast<size_t>(count) * sizeof(float));
}

// The part of g's product that the sums are of.
void store_sums(const Gemm& g, const float* sums) {
  auto* bias = static_cast<const float*>(g.bias);
  bool whole = g.n == kBlockSide && !bias && !g.relu;
  for (int64_t r = 0; r < g.m; ++r, sums += kBlockSide) {
    float* c = static_cast<float*>(g.c) + r * g.c_row;
    if (whole) {
      auto* to = reinterpret_cast<Floats*>(c);
      auto* from = reinterpret_cast<const Floats*>(sums);
      to[0] = g.accumulate ? to[0] + from[0] : from[0];
      to[1] = g.accumulate ? to[1] + from[1] : from[1];
      continue;
    }
    for (int64_t j = 0; j < g.n; j += kSide) {
      store_lane_sums(c + j, *reinterpret_cast<const Floats*>(sums + j), bias ? bias + j : nullptr, g,
                      smaller(kSide, g.n - j));
    }
  }
}

void prefetch_result(const Gemm& g) {
  for (int64_t r = 0; r < g.m; ++r) {
    float* c = static_cast<float*>(g.c) + r * g.c_row;
    for (int64_t j = 0; j < g.n; j += kSide) __builtin_prefetch(c + j, 1);
  }
}

// Which matrix is packed as the left one (the result is turned if it is b), and which is the inner one.
struct Roles {
  bool a_is_left, a_is_outer;
};

// The matrix whose items lie side by side is better the right one, that whose depths do the left one.
Roles roles(const Gemm& g) {
  auto size = [](bool turned, int64_t items) { return turned ? static_cast<double>(items) : 0.0; };
  double a_left = size(g.a_col != 1, g.m) + size(g.b_col != 1, g.n);
  double b_left = size(g.b_row != 1, g.n) + size(g.a_row != 1, g.m);
  double result = kTurnsOfResult * static_cast<double>(g.m) * static_cast<double>(g.n);
  auto depth = static_cast<double>(g.k);
  return {a_left * depth <= b_left * depth + result, g.m > g.n};
}

// A product by one thread.
class Product {
 public:
  Product(const Gemm& g, Roles roles)
      : g_(g),
        roles_(roles),
        a_{static_cast<const float*>(g.a), g.a_row, g.a_col, g.m, g.k},
        b_{static_cast<const float*>(g.b), g.b_col, g.b_row, g.n, g.k},
        depth_(ceil_div(ceil_div(g.k, ceil_div(g.k, kDepth)), kStep) * kStep),
        strip_(ceil_div(smaller(depth_, g.k), kStep) * kBlockBytes) {}

  void run() const {
    TileScope tiles;
    int64_t most = kInnerBytes / (2 * strip_) * kBlockSide;
    most = smaller(most < kBlockSide ? kBlockSide : most, inner().items);
    Scratch<uint8_t> packed(ceil_div(most, kSide) * strip_), panel(2 * strip_);
    for (int64_t p = 0; p < g_.k; p += depth_) {
      for (int64_t i = 0; i < inner().items; i += most) {
        multiply_chunk(p, smaller(depth_, g_.k - p), i, smaller(most, inner().items - i), packed, panel);
      }
    }
  }

 private:
  const Source& outer() const { return roles_.a_is_outer ? a_ : b_; }
  const Source& inner() const { return roles_.a_is_outer ? b_ : a_; }
  bool outer_is_left() const { return roles_.a_is_outer == roles_.a_is_left; }

  static Source part(const Source& x, int64_t i, int64_t items, int64_t p, int64_t depths) {
    return {x.data + i * x.item + p * x.depth, x.item, x.depth, items, depths};
  }

  // Depths [p, p + depth) and inner items [i, i + items).
  void multiply_chunk(int64_t p, int64_t depth, int64_t i, int64_t items, uint8_t* packed,
                      uint8_t* panel) const {
    Source x = part(inner(), i, items, p, depth);
    bool fits = true;
    for (int64_t s = 0; s < ceil_div(items, kSide); ++s) {
      fits &= pack_strip(packed + s * strip_, x, s * kSide, !outer_is_left());
    }
    for (int64_t o = 0; o < outer().items; o += kBlockSide) {
      Panel at{o, smaller(kBlockSide, outer().items - o), i, items, p, depth};
      if (!fits || !multiply_panel(at, packed, panel)) {
        gemm_float(piece(at.outer, at.outer_items, i, items, p, depth));
      }
    }
  }

  // Outer items, up to kBlockSide, by inner ones, and the depths [p, p + depth).
  struct Panel {
    int64_t outer, outer_items, inner, inner_items, p, depth;
  };

  // False, with nothing done, where a number is too large. A block's sums are stored while the next one is
  // multiplied.
  bool multiply_panel(const Panel& at, const uint8_t* packed, uint8_t* panel) const {
    int64_t blocks = ceil_div(at.depth, kStep);
    Source x = part(outer(), at.outer, at.outer_items, at.p, at.depth);
    Strips own{panel, panel + strip_};
    bool two_own = at.outer_items > kSide;
    if (!pack_strip(panel, x, 0, outer_is_left())) return false;
    if (two_own && !pack_strip(panel + strip_, x, kSide, outer_is_left())) return false;
    alignas(64) float sums[2][kBlockSide * kBlockSide];
    auto count = [&](int64_t j) { return smaller(kBlockSide, at.inner_items - j); };
    auto sums_of = [&](int64_t j) { return sums[j / kBlockSide % 2]; };
    auto finish = [&](int64_t j) {
      Gemm part = piece(at.outer, at.outer_items, at.inner + j, count(j), at.p, at.depth);
      if (!roles_.a_is_left) turn_block(sums_of(j));
      store_sums(part, sums_of(j));
    };
    int64_t j = 0;
    for (; j < at.inner_items; j += kBlockSide, packed += 2 * strip_) {
      prefetch_result(piece(at.outer, at.outer_items, at.inner + j, count(j), at.p, at.depth));
      Strips others{packed, packed + strip_};
      bool two_others = count(j) > kSide;
      if (outer_is_left()) multiply_strips(two_own, two_others, blocks, own, others, sums_of(j));
      else multiply_strips(two_others, two_own, blocks, others, own, sums_of(j));
      if (j > 0) finish(j - kBlockSide);
    }
    finish(j - kBlockSide);
    return true;
  }

  // The product of some outer and inner items for the depths [p, p + depth).
  Gemm piece(int64_t outer, int64_t outer_items, int64_t inner, int64_t inner_items, int64_t p,
             int64_t depth) const {
    int64_t row = roles_.a_is_outer ? outer : inner, col = roles_.a_is_outer ? inner : outer;
    bool last = p + depth == g_.k;
    Gemm part = g_;
    part.m = roles_.a_is_outer ? outer_items : inner_items;
    part.n = roles_.a_is_outer ? inner_items : outer_items;
    part.k = depth;
    part.a = a_.data + row * a_.item + p * a_.depth;
    part.b = b_.data + col * b_.item + p * b_.depth;
    part.c = static_cast<float*>(g_.c) + row * g_.c_row + col;
    part.accumulate = g_.accumulate || p > 0;
    part.bias = last && g_.bias ? static_cast<const float*>(g_.bias) + col : nullptr;
    part.relu = last && g_.relu;
    return part;
  }

  const Gemm& g_;
  Roles roles_;
  Source a_, b_;
  int64_t depth_, strip_;  // bytes of a packed strip
};

// The result in down × across pieces, one for each thread, such that the threads pack as little as
// can be. How an element is summed does not depend on it.
struct Grid {
  int64_t down, across;
};
Grid grid_for(const Gemm& g, int64_t threads) {
  int64_t rows = ceil_div(g.m, kBlockSide), cols = ceil_div(g.n, kBlockSide);
  Grid best{1, 1};
  int64_t least = rows * threads + cols * threads + 1;
  for (int64_t down = 1; down <= smaller(threads, rows); ++down) {
    int64_t across = smaller(threads / down, cols), packed = ceil_div(rows, down) + ceil_div(cols, across);
    if (down * across == threads && packed < least) best = {down, across}, least = packed;
  }
  return best;
}

Gemm piece_of(const Gemm& g, const Grid& grid, int64_t at) {
  int64_t rows = ceil_div(ceil_div(g.m, kBlockSide), grid.down) * kBlockSide, row = at % grid.down * rows;
  int64_t cols = ceil_div(ceil_div(g.n, kBlockSide), grid.across) * kBlockSide, col = at / grid.down * cols;
  Gemm part = g;
  part.m = clamped(g.m - row, rows), part.n = clamped(g.n - col, cols);
  if (part.m == 0 || part.n == 0) return part;
  part.a = static_cast<const float*>(g.a) + row * g.a_row;
  part.b = static_cast<const float*>(g.b) + col * g.b_col;
  part.c = static_cast<float*>(g.c) + row * g.c_row + col;
  if (g.bias) part.bias = static_cast<const float*>(g.bias) + col;
  return part;
}

void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0 || g.k == 0) return gemm_float(g);
  Roles r = roles(g);
  Grid grid = grid_for(g, get_num_threads());
  parallel_for(grid.down * grid.across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Gemm piece = piece_of(g, grid, i);
      if (piece.m > 0 && piece.n > 0) Product(piece, r).run();
    }
  });
}

}  // namespace

ESPALIER_OFFER(gemm_bf16x3, gemm)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
