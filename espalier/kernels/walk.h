#pragma once

#include <espalier/core/array.h>

#include <array>
#include <span>

namespace espalier::kernels {

inline constexpr int kMaxOperands = 4;

// How arrays that broadcast to the shape of the first are gone through together: the dimensions in the order
// of the first one's memory, sizes of 1 left out, and those that follow each other in every array joined to
// one. A position counts elements in that order.
struct Walk {
  int rank = 0;
  int64_t count = 1;
  std::array<int64_t, kMaxRank> size{};
  std::array<std::array<int64_t, kMaxRank>, kMaxOperands> stride{};  // of each operand, in elements

  // Whether operand k lies in the order of the walk without gaps / is one element.
  bool linear(int k) const;
  bool single(int k) const;
  // Calls f(offset, length) for the pieces of `n` elements from `position` that operand k has in its last
  // dimension.
  template <class F>
  void pieces(int k, int64_t position, int64_t n, F&& f) const;
};

Walk walk(std::span<const Array* const> arrays);

template <class F>
void Walk::pieces(int k, int64_t position, int64_t n, F&& f) const {
  std::array<int64_t, kMaxRank> index{};
  int64_t offset = 0, last = rank - 1;
  for (int d = rank - 1; d >= 0; --d) {
    index[d] = position % size[d];
    position /= size[d];
    offset += index[d] * stride[k][d];
  }
  while (n > 0) {
    int64_t length = std::min(n, size[last] - index[last]);
    f(offset, length);
    n -= length;
    offset += length * stride[k][last];
    index[last] += length;
    for (int d = last; d > 0 && index[d] == size[d]; --d) {
      index[d] = 0;
      ++index[d - 1];
      offset += stride[k][d - 1] - size[d] * stride[k][d];
    }
  }
}

}  // namespace espalier::kernels
