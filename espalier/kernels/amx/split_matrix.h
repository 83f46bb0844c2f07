#pragma once

#include <espalier/core/threads.h>
#include <espalier/kernels/amx/block.h>
#include <espalier/kernels/gemm.h>
#include <espalier/kernels/simd/scratch.h>

// Some float32 rows times a matrix that is split into parts once and multiplied often, by one thread. Sixteen
// rows are split at a time and multiplied with four strips of the matrix: fewer sums would wait for each
// other.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Tile registers: one for the sums of each strip, three for the parts of the left block, one for the right
// one's.
constexpr int kMostStrips = 4, kHigh = 4, kMiddle = 5, kLow = 6, kRight = 7;

template <int Register>
void load_tile(const void* from, int64_t row_bytes = kBytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" ::"r"(from), "r"(row_bytes), "i"(Register));
}
template <int Register>
void store_tile(void* to, int64_t row_bytes) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" ::"r"(to), "r"(row_bytes), "i"(Register) : "memory");
}
template <int Register>
void clear_tile() {
  asm volatile("tilezero %%tmm%c0" ::"i"(Register));
}
template <int Sum, int Left>
void add_product() {
  asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" ::"i"(Sum), "i"(Left), "i"(kRight));
}

// The largest number, without its sign; NaN does not count, it reaches the sums as it should. Up to kMost
// neither the parts of numbers nor sums of their products, thousands of them, leave what float32 can hold.
class Largest {
 public:
  void note(const Floats& x) {
    constexpr int kAbsoluteMaximum = 0b1011;  // with its sign cleared
    largest_ = reinterpret_cast<Floats>(
        _mm512_range_ps(reinterpret_cast<__m512>(largest_), reinterpret_cast<__m512>(x), kAbsoluteMaximum));
  }
  bool fits() const {
    bool all = true;
    for (int64_t i = 0; i < kSide; ++i) all &= largest_[i] <= kMost;
    return all;
  }

 private:
  static constexpr float kMost = 0x1p56f;
  Floats largest_ = {};
};

// What is added to the sums.
struct Tiles {
  int64_t blocks;
  const uint8_t *left, *right;
  int64_t strip;  // bytes from one strip of the right matrix to the next
};

// A tile of the right matrix is loaded once only, and the largest products come last.
template <int... Strip>
void multiply_strips(std::integer_sequence<int, Strip...>, const Tiles& t, float* c, int64_t c_row,
                     const float* start, int64_t start_row) {
  constexpr int64_t kFloat = sizeof(float);
  asm volatile("" ::: "memory");  // what is split is in memory
  if (start) (load_tile<Strip>(start + Strip * kSide, start_row * kFloat), ...);
  else (clear_tile<Strip>(), ...);
  for (int64_t i = 0; i < t.blocks; ++i) {
    const uint8_t *left = t.left + i * kBlockBytes, *right = t.right + i * kBlockBytes;
    load_tile<kHigh>(left + kHighPart * kTileBytes);
    load_tile<kMiddle>(left + kMiddlePart * kTileBytes);
    load_tile<kLow>(left + kLowPart * kTileBytes);
    auto load_right = [&](int strip, int part) {
      load_tile<kRight>(right + strip * t.strip + part * kTileBytes);
    };
    ((load_right(Strip, kLowPart), add_product<Strip, kHigh>()), ...);
    ((load_right(Strip, kMiddlePart), add_product<Strip, kMiddle>(), add_product<Strip, kHigh>()), ...);
    ((load_right(Strip, kHighPart), add_product<Strip, kLow>(), add_product<Strip, kMiddle>(),
      add_product<Strip, kHigh>()),
     ...);
  }
  (store_tile<Strip>(c + Strip * kSide, c_row * kFloat), ...);
  asm volatile("" ::: "memory");
}

template <int Most = kMostStrips>
void multiply_strips(int64_t strips, const Tiles& t, float* c, int64_t c_row, const float* start,
                     int64_t start_row) {
  if constexpr (Most > 1) {
    if (strips < Most) return multiply_strips<Most - 1>(strips, t, c, c_row, start, start_row);
  }
  multiply_strips(std::make_integer_sequence<int, Most>(), t, c, c_row, start, start_row);
}

// c = start + a · matrix for some rows; a's depths and c's columns lie side by side. `start` is c to add to
// it, a row of biases with a step of 0, or null.
struct RowsProduct {
  int64_t rows;
  const float* a;
  int64_t a_row;
  float* c;
  int64_t c_row;
  const float* start = nullptr;
  int64_t start_row = 0;

  RowsProduct part(int64_t first, int64_t count) const {
    return {count,    a + first * a_row,
            a_row,    c + first * c_row,
            c_row,    start ? start + first * start_row : nullptr,
            start_row};
  }
};

void copy_rows(float* to, int64_t to_row, const float* from, int64_t from_row, int64_t rows, int64_t cols) {
  for (int64_t r = 0; r < rows; ++r, to += to_row, from += from_row) {
    __builtin_memmove(to, from, static_cast<size_t>(cols) * sizeof(float));
  }
}

// b[depth, cols]; element (p, j) is at data[p * depth_step + j * col_step].
class SplitMatrix {
 public:
  SplitMatrix(const float* data, int64_t depth_step, int64_t col_step, int64_t depth, int64_t cols)
      : data_(data),
        depth_step_(depth_step),
        col_step_(col_step),
        depth_(depth),
        cols_(cols),
        strip_(ceil_div(depth, kStep) * kBlockBytes),
        parts_(ceil_div(cols, kSide) * strip_) {
    Source columns{data, col_step, depth_step, cols, depth};
    parallel_for(ceil_div(cols, kSide), 1 + kGrain / depth, [&](int64_t begin, int64_t end) {
      for (int64_t s = begin; s < end; ++s) {
        bool fits = split(parts_ + s * strip_, columns, s * kSide, false);
        if (!fits) __atomic_store_n(&fits_, false, __ATOMIC_RELAXED);
      }
    });
  }

  // A row's results do not depend on the others.
  void multiply(const RowsProduct& x) const {
    for (int64_t r = 0; r < x.rows; r += kSide) {
      RowsProduct part = x.part(r, smaller(kSide, x.rows - r));
      for (int64_t p = 0; p < depth_; p += kMostBlocks * kStep) {
        multiply_part(part, p, smaller(kMostBlocks * kStep, depth_ - p));
        part.start = part.c, part.start_row = part.c_row;
      }
    }
  }

 private:
  static constexpr int64_t kMostBlocks = 8;  // of depths at a time: split rows stay in the first cache
  static constexpr int64_t kGrain = 1024;

  // 16 items from i on; false where a number is too large.
  static bool split(uint8_t* to, const Source& x, int64_t i, bool left) {
    Largest largest;
    for (int64_t p = 0; p < x.depths; p += kStep, to += kBlockBytes) {
      pack_stored(to, x, i, p, left, [&](const Floats& v) { largest.note(v); });
    }
    return largest.fits();
  }

  // Depths [p, p + depth) of up to 16 rows.
  void multiply_part(const RowsProduct& x, int64_t p, int64_t depth) const {
    alignas(64) uint8_t left[kMostBlocks * kBlockBytes];
    bool fits = fits_ && split(left, {x.a + p, x.a_row, 1, x.rows, depth}, 0, true);
    if (fits) return multiply_split(x, left, p, ceil_div(depth, kStep));
    for (int64_t r = 0; x.rows > 1 && r < x.rows; ++r) multiply_part(x.part(r, 1), p, depth);
    if (x.rows == 1) multiply_plain(x, p, depth);
  }

  void multiply_split(const RowsProduct& x, const uint8_t* left, int64_t p, int64_t blocks) const {
    TileScope tiles(x.rows);
    int64_t strips = ceil_div(cols_, kSide), groups = ceil_div(strips, kMostStrips);
    for (int64_t g = 0; g < groups; ++g) {
      int64_t first = strips * g / groups, count = strips * (g + 1) / groups - first;
      int64_t col = first * kSide, cols = smaller(count * kSide, cols_ - col);
      Tiles added{blocks, left, parts_ + first * strip_ + p / kStep * kBlockBytes, strip_};
      float* c = x.c + col;
      const float* start = x.start ? x.start + col : nullptr;
      if (cols == count * kSide) {
        multiply_strips(count, added, c, x.c_row, start, x.start_row);
        continue;
      }
      constexpr int64_t kRow = kMostStrips * kSide;
      alignas(64) float sums[kSide * kRow] = {};
      if (start) copy_rows(sums, kRow, start, x.start_row, x.rows, cols);
      multiply_strips(count, added, sums, kRow, sums, kRow);
      copy_rows(c, x.c_row, sums, kRow, x.rows, cols);
    }
  }

  // One row, not split.
  void multiply_plain(const RowsProduct& x, int64_t p, int64_t depth) const {
    if (x.start) copy_rows(x.c, 0, x.start, 0, 1, cols_);
    gemm_float({.m = 1,
                .n = cols_,
                .k = depth,
                .a = x.a + p,
                .b = data_ + p * depth_step_,
                .b_row = depth_step_,
                .b_col = col_step_,
                .c = x.c,
                .c_row = cols_,
                .accumulate = x.start != nullptr});
  }

  const float* data_;
  int64_t depth_step_, col_step_, depth_, cols_;
  int64_t strip_;  // bytes
  bool fits_ = true;
  Scratch<uint8_t> parts_;
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
