#pragma once

#include <immintrin.h>

#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/simd/pack.h>

// Matrices as tiles of bfloat16: a block of 32 depths × 16 rows (or columns) of a float32 matrix becomes
// three tiles, one for each part of its numbers. Depth i and depth i + 16 of a block stand side by side in a
// pair.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

using Floats = Vector<float>;
typedef uint32_t Words __attribute__((vector_size(64)));

constexpr int64_t kSide = 16;                   // rows of a tile, and its pairs in a row
constexpr int64_t kStep = 2 * kSide;            // depths of a block
constexpr int64_t kTileBytes = kSide * kBytes;  // of a part of a block
constexpr int kParts = 3;
constexpr int64_t kBlockBytes = kParts * kTileBytes;

// The upper half of each number, its sign, exponent and seven bits, stands for it.
constexpr uint32_t kUpperHalf = 0xffff0000;
inline Floats cut(const Floats& x) {
  return __builtin_bit_cast(Floats, __builtin_bit_cast(Words, x) & kUpperHalf);
}
// x to eight significant bits, up or down. NaN for infinities and numbers above 2^111: 65537 x is a float's
// 24 bits, of which 65536 x takes away the upper sixteen.
inline Floats rounded(const Floats& x) {
  Floats sum = x * 65536.0f + x;
  return sum - x * 65536.0f;
}

// The upper halves of two vectors, side by side in pairs.
inline Words paired(const Floats& first, const Floats& second) {
  return __builtin_bit_cast(Words, first) >> 16 | (__builtin_bit_cast(Words, second) & kUpperHalf);
}

// A row of the three tiles of a block. The first part is rounded, so that the others are small and have any
// sign; of the rest the second one takes eight bits, which leaves no more than eight.
inline void store_parts(uint8_t* to, const Floats& x, const Floats& y) {
  auto store = [&](int part, const Floats& a, const Floats& b) {
    *reinterpret_cast<Words*>(to + part * kTileBytes) = paired(a, b);
  };
  Floats a = rounded(x), b = rounded(y), rest_a = x - a, rest_b = y - b;
  store(0, a, b);
  store(1, rest_a, rest_b);
  store(2, rest_a - cut(rest_a), rest_b - cut(rest_b));
}

// Some of the items or depths of a matrix.
struct Range {
  int64_t begin, size;
  int64_t end() const { return begin + size; }
};

// A float32 matrix; element (i, p) is at data[i * item + p * depth], or gathered: rows are the items of a
// left matrix, the depths of a right one. An item is a row of the left matrix of a product or a column of the
// right one.
struct Source {
  const float* data;
  int64_t item, depth;    // strides
  int64_t items, depths;  // sizes
  const GatheredRows* gathered = nullptr;
  const uint8_t* split = nullptr;  // all of it, if that is done: strips of 16 items, one after the other

  int64_t split_strip() const { return ceil_div(depths, kStep) * kBlockBytes; }
};

inline int64_t clamped(int64_t x, int64_t most) { return x < 0 ? 0 : smaller(x, most); }

// The vector of `count` elements `step` apart, with zeros behind them.
inline Floats load_lanes_of(const float* p, int64_t step, int64_t count) {
  if (count == kSide && step == 1) return *reinterpret_cast<const Floats*>(p);
  Floats v = {};
  for (int64_t i = 0; i < count; ++i) v[i] = p[i * step];
  return v;
}

// v[r] is the vector at row `r` of a square whose rows lie `row` apart and its lanes `lane` apart; zeros
// outside rows × lanes.
inline void load_square(Floats* v, const float* p, int64_t row, int64_t lane, int64_t rows, int64_t lanes) {
  for (int64_t r = 0; r < kSide; ++r) v[r] = r < rows ? load_lanes_of(p + r * row, lane, lanes) : Floats{};
}

// As load_square, by turning what lies side by side along the rows.
inline void load_turned(Floats* v, const float* p, int64_t row, int64_t lane, int64_t rows, int64_t lanes) {
  if (row == 1 && lane != 1) {
    load_square(v, p, lane, row, lanes, rows);
    turn<float>(v);
  } else {
    load_square(v, p, row, lane, rows, lanes);
  }
}

// The block of items [i, i + 16) and depths [p, p + 32), which lies in memory. Left: each row of a tile is an
// item; right: a pair of depths. Calls see(vector) for all numbers.
template <class See>
void pack_stored(uint8_t* to, const Source& x, int64_t i, int64_t p, bool left, See&& see) {
  int64_t items = clamped(x.items - i, kSide), depths = clamped(x.depths - p, kStep);
  const float* from = x.data + i * x.item + p * x.depth;
  int64_t row = left ? x.item : x.depth, lane = left ? x.depth : x.item;
  auto store = [&](int64_t r, const Floats& first, const Floats& second) {
    see(first), see(second);
    store_parts(to + r * kBytes, first, second);
  };
  if (items == kSide && depths == kStep && lane == 1) {
    for (int64_t r = 0; r < kSide; ++r) {
      const float* at = from + r * row;
      store(r, load_lanes_of(at, 1, kSide), load_lanes_of(at + kSide * x.depth, 1, kSide));
    }
    return;
  }
  Floats v[2][kSide];
  for (int half = 0; half < 2; ++half) {
    int64_t count = clamped(depths - half * kSide, kSide);
    const float* at = count ? from + half * kSide * x.depth : from;
    load_turned(v[half], at, row, lane, left ? items : count, left ? count : items);
  }
  for (int64_t r = 0; r < kSide; ++r) store(r, v[0][r], v[1][r]);
}

// As pack_stored, of gathered rows.
inline void pack_gathered(uint8_t* to, const GatheredRows& g, int64_t i, int64_t p, bool left) {
  int64_t column = left ? p : i, tap = column / g.channels, channel = column - tap * g.channels;
  const float* x = g.x + g.tap[tap] + channel;
  auto row = [&](int64_t r) { return r < g.rows && (g.inside[r] >> tap & 1) ? x + g.place[r] : g.zeros; };
  for (int64_t r = 0; r < kSide; ++r, to += kBytes) {
    const float* at = row((left ? i : p) + r);
    Floats first = load_lanes_of(at, 1, kSide);
    Floats second = load_lanes_of(left ? at + kSide : row(p + kSide + r), 1, kSide);
    store_parts(to, first, second);
  }
}

inline void pack_block(uint8_t* to, const Source& x, int64_t i, int64_t p, bool left) {
  if (x.gathered) pack_gathered(to, *x.gathered, i, p, left);
  else pack_stored(to, x, i, p, left, [](const Floats&) {});
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
