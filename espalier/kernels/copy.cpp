#include <algorithm>

#include <espalier/core/threads.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/walk.h>

namespace espalier::kernels {
namespace {

constexpr int64_t kTile = 16;
constexpr int64_t kBlock = 64;  // whose lines the first cache holds, in both directions

// The dimension that runs contiguously in the input while another one does in the output; -1 if there is
// none.
int crossing(const Walk& w) {
  int last = w.rank - 1;
  if (w.stride[0][last] != 1 || w.stride[1][last] <= 1) return -1;
  for (int d = 0; d < last; ++d) {
    if (w.stride[1][d] == 1 && w.size[d] > 1) return d;
  }
  return -1;
}

// Offsets in both arrays of the `index`-th combination of positions in all dimensions but `cross` and the
// last.
std::array<int64_t, 2> outer_offsets(const Walk& w, int cross, int64_t index) {
  std::array<int64_t, 2> at{};
  for (int d = w.rank - 2; d >= 0; --d) {
    if (d == cross) continue;
    int64_t i = index % w.size[d];
    index /= w.size[d];
    for (int k = 0; k < 2; ++k) at[k] += i * w.stride[k][d];
  }
  return at;
}

// A transposing copy, block by block; a block in strips of kTile positions of `cross`, or at once where
// columns are few.
void copy_crossing(const Walk& w, int cross, DType dtype, void* to, const void* from) {
  int last = w.rank - 1;
  int64_t rows = w.size[cross], columns = w.size[last];
  int64_t down = (rows + kBlock - 1) / kBlock, across = (columns + kBlock - 1) / kBlock;
  int64_t blocks = w.count / (rows * columns) * down * across, tall = columns < kTile ? kBlock : kTile;
  parallel_for(blocks, std::max<int64_t>(1, kGrain * blocks / w.count), [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      auto offset = outer_offsets(w, cross, b / (down * across));
      int64_t column = b % across * kBlock, first = b / across % down * kBlock;
      int64_t width = std::min(kBlock, columns - column), stop = std::min(first + kBlock, rows);
      for (int64_t row = first; row < stop; row += tall) {
        transpose_strip(itemsize(dtype), std::min(tall, stop - row), width,
                        at(from, dtype, offset[1] + row + column * w.stride[1][last]), w.stride[1][last],
                        at(to, dtype, offset[0] + row * w.stride[0][cross] + column), w.stride[0][cross]);
      }
    }
  });
}

}  // namespace

void copy(Array& out, const Array& in) {
  if (nothing_to_do(out)) return;
  const Array* arrays[] = {&out, &in};
  Walk w = walk(arrays);
  const void* from = in.data();
  void* to = out.data();
  int cross = in.dtype == out.dtype ? crossing(w) : -1;
  if (cross >= 0) return copy_crossing(w, cross, out.dtype, to, from);
  int last = w.rank - 1;
  parallel_for(w.count, kGrain, [&](int64_t begin, int64_t end) {
    w.pieces({0, 1}, begin, end - begin, [&](auto offset, int64_t length) {
      cast_row(in.dtype, out.dtype, length, at(from, in.dtype, offset[1]), w.stride[1][last],
               at(to, out.dtype, offset[0]), w.stride[0][last]);
    });
  });
}

}  // namespace espalier::kernels
