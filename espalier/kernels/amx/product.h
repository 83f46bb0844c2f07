#pragma once

#include <espalier/core/threads.h>
#include <espalier/kernels/amx/packing.h>
#include <espalier/kernels/amx/result.h>
#include <espalier/kernels/simd/scratch.h>

// A product of two matrices by one thread. The matrix with fewer items, or a chunk of it, is packed whole and
// stays in the second cache; the other one is packed panel by panel.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kInnerBytes = 768 << 10;
constexpr int64_t kDepth = 800;  // of a panel, at most

struct Factors {
  Source a, b;
  Result c;
  // Which matrix is packed as the left one (the result is turned if it is b), and which is the inner one.
  bool a_is_left, a_is_outer;
};

// Where sums are not finite, since numbers are too large for the tiles or are none, `otherwise(piece)`
// computes that piece; it says whether it can.
template <class Otherwise>
class Product {
 public:
  Product(const Factors& f, Range rows, Range cols, const Otherwise& otherwise)
      : f_(f),
        outer_range_(f.a_is_outer ? rows : cols),
        inner_range_(f.a_is_outer ? cols : rows),
        depth_(ceil_div(ceil_div(f.a.depths, ceil_div(f.a.depths, kDepth)), kStep) * kStep),
        strip_(ceil_div(smaller(depth_, f.a.depths), kStep) * kBlockBytes),
        otherwise_(otherwise) {}

  bool run() const {
    TileScope tiles;
    int64_t most = kInnerBytes / (2 * strip_) * kBlockSide;
    most = smaller(most < kBlockSide ? kBlockSide : most, inner_range_.size);
    Scratch<uint8_t> packed(ceil_div(most, kSide) * strip_), panels(4 * strip_);
    for (int64_t p = 0; p < f_.a.depths; p += depth_) {
      Range depths{p, smaller(depth_, f_.a.depths - p)};
      for (int64_t i = inner_range_.begin; i < inner_range_.end(); i += most) {
        if (!multiply_chunk({i, smaller(most, inner_range_.end() - i)}, depths, packed, panels)) return false;
      }
    }
    return true;
  }

 private:
  const Source& outer() const { return f_.a_is_outer ? f_.a : f_.b; }
  const Source& inner() const { return f_.a_is_outer ? f_.b : f_.a; }
  bool outer_is_left() const { return f_.a_is_outer == f_.a_is_left; }

  Piece piece(Range outer, Range inner, Range depths) const {
    return f_.a_is_outer ? Piece{outer, inner, depths} : Piece{inner, outer, depths};
  }

  // Up to kBlockSide outer items from `begin` on; none behind the end.
  Packing panel_at(int64_t begin, Range depths, uint8_t* to) const {
    Range items{begin, clamped(outer_range_.end() - begin, kBlockSide)};
    return Packing(outer(), items, depths, outer_is_left(), to, strip_);
  }

  // A panel is packed while the one before it is multiplied.
  bool multiply_chunk(Range inner_items, Range depths, uint8_t* packed, uint8_t* panels) const {
    Packing others(inner(), inner_items, depths, !outer_is_left(), packed, strip_);
    others.finish();
    Packing own = panel_at(outer_range_.begin, depths, panels);
    own.finish();
    for (int64_t o = kBlockSide; own.items().size > 0; o += kBlockSide) {
      Packing next = panel_at(outer_range_.begin + o, depths, panels + o / kBlockSide % 2 * 2 * strip_);
      if (!multiply_panel(own, others, next, depths)) return false;
      next.finish();
      own = next;
    }
    return true;
  }

  // A block's sums are stored while the next one is multiplied.
  bool multiply_panel(const Packing& own, const Packing& others, Packing& next, Range depths) const {
    int64_t blocks = ceil_div(depths.size, kStep), items = others.items().size;
    int64_t steps = ceil_div(items, kBlockSide) * blocks, due = 0;
    auto meanwhile = [&] {
      for (due += next.blocks(); due >= steps; due -= steps) next.pack_block();
    };
    Result to = result_for(depths);
    alignas(64) float sums[2][kBlockSide * kBlockSide];
    auto sums_of = [&](int64_t j) { return sums[j / kBlockSide % 2]; };
    auto piece_at = [&](int64_t j) {
      return piece(own.items(), {others.items().begin + j, smaller(kBlockSide, items - j)}, depths);
    };
    auto tiles = [](int64_t n) { return n > kSide ? kBlockSide : kSide; };
    auto finish = [&](int64_t j) {
      int64_t others_size = tiles(items - j);
      bool finite = outer_is_left() ? all_finite(sums_of(j), tiles(own.items().size), others_size)
                                    : all_finite(sums_of(j), others_size, tiles(own.items().size));
      if (!finite) return otherwise_(piece_at(j));
      if (!f_.a_is_left) turn_block(sums_of(j));
      store_sums(to, piece_at(j), sums_of(j));
      return true;
    };
    int64_t j = 0;
    for (; j < items; j += kBlockSide) {
      prefetch_result(to, piece_at(j));
      Strips mine = own.strips(0), theirs = others.strips(j);
      bool two_own = own.items().size > kSide, two_others = items - j > kSide;
      if (outer_is_left()) multiply_strips(two_own, two_others, blocks, mine, theirs, sums_of(j), meanwhile);
      else multiply_strips(two_others, two_own, blocks, theirs, mine, sums_of(j), meanwhile);
      if (j > 0 && !finish(j - kBlockSide)) return false;
    }
    return finish(j - kBlockSide);
  }

  // What becomes of the sums of these depths: the first ones begin, the last ones end.
  Result result_for(Range depths) const {
    bool last = depths.end() == f_.a.depths;
    Result to = f_.c;
    to.accumulate |= depths.begin > 0;
    to.bias = last ? to.bias : nullptr;
    to.relu &= last;
    return to;
  }

  const Factors& f_;
  Range outer_range_, inner_range_;
  int64_t depth_, strip_;  // bytes of a packed strip
  const Otherwise& otherwise_;
};

// The result in down × across pieces, one for each thread, such that the threads pack as little as
// can be. How an element is summed does not depend on it.
struct Grid {
  int64_t down, across;
};
Grid grid_for(int64_t m, int64_t n, int64_t threads) {
  int64_t rows = ceil_div(m, kBlockSide), cols = ceil_div(n, kBlockSide);
  Grid best{1, 1};
  int64_t least = rows * threads + cols * threads + 1;
  for (int64_t down = 1; down <= smaller(threads, rows); ++down) {
    int64_t across = smaller(threads / down, cols), packed = ceil_div(rows, down) + ceil_div(cols, across);
    if (down * across == threads && packed < least) best = {down, across}, least = packed;
  }
  return best;
}

// Part `at` of `parts` of a range, in whole blocks.
Range part_of(int64_t size, int64_t parts, int64_t at) {
  int64_t each = ceil_div(ceil_div(size, kBlockSide), parts) * kBlockSide;
  return {at * each, clamped(size - at * each, each)};
}

// All of the result. False where `otherwise` cannot help.
template <class Otherwise>
bool multiply(const Factors& f, const Otherwise& otherwise) {
  Grid grid = grid_for(f.a.items, f.b.items, get_num_threads());
  bool done = true;
  parallel_for(grid.down * grid.across, 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      Range rows = part_of(f.a.items, grid.down, i % grid.down);
      Range cols = part_of(f.b.items, grid.across, i / grid.down);
      if (rows.size == 0 || cols.size == 0 || Product(f, rows, cols, otherwise).run()) continue;
      __atomic_store_n(&done, false, __ATOMIC_RELAXED);
    }
  });
  return done;
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
