#pragma once

#include <immintrin.h>

#include <espalier/kernels/amx/parts.h>

// Products of packed tiles: up to 32 × 32 sums in the tile registers.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int kHighPart = 0, kMiddlePart = 1, kLowPart = 2;
constexpr int64_t kBlockSide = 2 * kSide;

// While one lives, the tile registers of this thread are tiles of `rows` rows, the last one a whole tile.
// Other code may not use them meanwhile.
class TileScope {
 public:
  explicit TileScope(int64_t rows = kSide) {
    struct alignas(64) {
      uint8_t palette = 1, start = 0, unused[14] = {};
      uint16_t row_bytes[16] = {};
      uint8_t rows[16] = {};
    } config;
    for (int i = 0; i < 8; ++i) {
      config.row_bytes[i] = kBytes, config.rows[i] = static_cast<uint8_t>(i == 7 ? kSide : rows);
    }
    asm volatile("ldtilecfg %0" ::"m"(config));
  }
  ~TileScope() { _tile_release(); }
  TileScope(const TileScope&) = delete;
  TileScope& operator=(const TileScope&) = delete;
};

// Registers 0 to 3 hold the sums, 4 and 5 tiles of the left matrix, 6 and 7 of the right one.
template <int R>
void load_left(const uint8_t* first, const uint8_t* second) {
  _tile_loadd(4, first, kBytes);
  if constexpr (R > 1) _tile_loadd(5, second, kBytes);
}
template <int C>
void load_right(const uint8_t* first, const uint8_t* second) {
  _tile_loadd(6, first, kBytes);
  if constexpr (C > 1) _tile_loadd(7, second, kBytes);
}
template <int R, int C>
void multiply_tiles() {
  _tile_dpbf16ps(0, 4, 6);
  if constexpr (C > 1) _tile_dpbf16ps(1, 4, 7);
  if constexpr (R > 1) _tile_dpbf16ps(2, 5, 6);
  if constexpr (R > 1 && C > 1) _tile_dpbf16ps(3, 5, 7);
}

// Strips of 16 items: the second one is used where there are two.
struct Strips {
  const uint8_t *first, *second;
};

// The sums of `blocks` blocks of depths, as kBlockSide rows of kBlockSide floats. Each step of a block
// changes one operand only, and the largest products come last. The tiles take long enough for other work
// between the blocks: meanwhile() is called for each.
template <int R, int C, class Meanwhile>
void multiply_strips(int64_t blocks, const Strips& left, const Strips& right, float* sums,
                     Meanwhile& meanwhile) {
  asm volatile("" ::: "memory");  // what is packed is in memory
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  for (int64_t i = 0; i < blocks; ++i) {
    auto take_left = [&](int part) {
      int64_t at = i * kBlockBytes + part * kTileBytes;
      load_left<R>(left.first + at, left.second + at);
    };
    auto take_right = [&](int part) {
      int64_t at = i * kBlockBytes + part * kTileBytes;
      load_right<C>(right.first + at, right.second + at);
    };
    take_left(kHighPart), take_right(kLowPart), multiply_tiles<R, C>();
    take_right(kMiddlePart), multiply_tiles<R, C>();
    take_left(kMiddlePart), multiply_tiles<R, C>();
    take_right(kHighPart), multiply_tiles<R, C>();
    take_left(kLowPart), multiply_tiles<R, C>();
    take_left(kHighPart), multiply_tiles<R, C>();
    meanwhile();
  }
  constexpr int64_t kRowBytes = kBlockSide * sizeof(float);
  _tile_stored(0, sums, kRowBytes);
  if constexpr (C > 1) _tile_stored(1, sums + kSide, kRowBytes);
  if constexpr (R > 1) _tile_stored(2, sums + kSide * kBlockSide, kRowBytes);
  if constexpr (R > 1 && C > 1) _tile_stored(3, sums + kSide * kBlockSide + kSide, kRowBytes);
  asm volatile("" ::: "memory");
}

template <class Meanwhile>
void multiply_strips(bool two_left, bool two_right, int64_t blocks, const Strips& left, const Strips& right,
                     float* sums, Meanwhile& meanwhile) {
  if (two_left && two_right) return multiply_strips<2, 2>(blocks, left, right, sums, meanwhile);
  if (two_left) return multiply_strips<2, 1>(blocks, left, right, sums, meanwhile);
  if (two_right) return multiply_strips<1, 2>(blocks, left, right, sums, meanwhile);
  multiply_strips<1, 1>(blocks, left, right, sums, meanwhile);
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
