#pragma once

#include <espalier/kernels/amx/block.h>

// The packing of many blocks, a few at a time.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Some items of a matrix, packed for some depths: strips of kSide items, `strip` bytes each in `to`, or where
// the matrix is split already.
class Packing {
 public:
  Packing(const Source& x, Range items, Range depths, bool left, uint8_t* to, int64_t strip)
      : x_(&x), items_(items), depths_(depths), left_(left), to_(to), packed_(to), strip_(strip) {
    if (!x.split) {
      blocks_ = ceil_div(items.size, kSide) * ceil_div(depths.size, kStep);
      return;
    }
    strip_ = x.split_strip();
    packed_ = x.split + items.begin / kSide * strip_ + depths.begin / kStep * kBlockBytes;
  }

  Range items() const { return items_; }
  // That there are to pack.
  int64_t blocks() const { return blocks_; }

  // The next one, if there is one left.
  void pack_block() {
    if (done_ == blocks_) return;
    int64_t each = ceil_div(depths_.size, kStep), strip = done_ / each, block = done_ % each;
    ::espalier::kernels::ESPALIER_SIMD_LEVEL::pack_block(to_ + strip * strip_ + block * kBlockBytes, *x_,
                                                         items_.begin + strip * kSide,
                                                         depths_.begin + block * kStep, left_);
    ++done_;
  }
  void finish() {
    while (done_ < blocks_) pack_block();
  }

  // The strips of items j and j + kSide, counted from the first one.
  Strips strips(int64_t j) const {
    const uint8_t* first = packed_ + j / kSide * strip_;
    return {first, first + strip_};
  }

 private:
  const Source* x_;
  Range items_, depths_;
  bool left_;
  uint8_t* to_;
  const uint8_t* packed_;
  int64_t strip_, blocks_ = 0, done_ = 0;
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
