#pragma once

#include <espalier/core/array.h>

#include <array>
#include <span>

namespace espalier::kernels {

inline constexpr int kMaxOperands = 4;
inline constexpr int64_t kGrain = 32768;  // elements a thread takes at a time

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
  // Calls f(offsets, length) for the pieces of `n` elements from `position` that lie in the last dimension,
  // with the offset in each of `operands`.
  template <size_t N, class F>
  void pieces(const int (&operands)[N], int64_t position, int64_t n, F&& f) const;
};

// The address of the element `offset` elements after `base`.
inline char* at(const void* base, DType dtype, int64_t offset) {
  return static_cast<char*>(const_cast<void*>(base)) + offset * itemsize(dtype);
}

Walk walk(std::span<const Array* const> arrays);

template <size_t N, class F>
void Walk::pieces(const int (&operands)[N], int64_t position, int64_t n, F&& f) const {
  std::array<int64_t, kMaxRank> index{};
  std::array<int64_t, N> at{};
  int last = rank - 1;
  for (int d = last; d >= 0; --d) {
    index[d] = position % size[d];
    position /= size[d];
    for (size_t j = 0; j < N; ++j) at[j] += index[d] * stride[operands[j]][d];
  }
  while (n > 0) {
    int64_t length = std::min(n, size[last] - index[last]);
    f(at, length);
    n -= length;
    index[last] += length;
    for (size_t j = 0; j < N; ++j) at[j] += length * stride[operands[j]][last];
    for (int d = last; d > 0 && index[d] == size[d]; --d) {
      index[d] = 0;
      ++index[d - 1];
      for (size_t j = 0; j < N; ++j) {
        at[j] += stride[operands[j]][d - 1] - size[d] * stride[operands[j]][d];
      }
    }
  }
}

}  // namespace espalier::kernels
