#include <algorithm>
#include <cstdint>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kTile = 16;

// A full tile goes through a small buffer, so that each line of memory is touched once on either side, also
// where the steps are powers of two and the lines would push each other out of the cache.
template <class T>
void full_tile(const T* in, int64_t in_step, T* out, int64_t out_step) {
  alignas(64) T tile[kTile][kTile];
  for (int64_t c = 0; c < kTile; ++c) {
    for (int64_t r = 0; r < kTile; ++r) tile[c][r] = in[c * in_step + r];
  }
  for (int64_t r = 0; r < kTile; ++r) {
    for (int64_t c = 0; c < kTile; ++c) out[r * out_step + c] = tile[c][r];
  }
}

template <class T>
void strip(int64_t rows, int64_t columns, const T* in, int64_t in_step, T* out, int64_t out_step) {
  for (int64_t c = 0; c < columns; c += kTile) {
    int64_t n = std::min(kTile, columns - c);
    const T* from = in + c * in_step;
    T* to = out + c;
    if (n == kTile && rows == kTile) {
      full_tile(from, in_step, to, out_step);
      continue;
    }
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t i = 0; i < n; ++i) to[r * out_step + i] = from[i * in_step + r];
    }
  }
}

void transpose(int64_t size, int64_t rows, int64_t columns, const void* in, int64_t in_step, void* out,
               int64_t out_step) {
  auto run = [&]<class T>(T) {
    strip(rows, columns, static_cast<const T*>(in), in_step, static_cast<T*>(out), out_step);
  };
  if (size == 4) run(uint32_t{});
  else if (size == 8) run(uint64_t{});
  else if (size == 2) run(uint16_t{});
  else run(uint8_t{});
}

}  // namespace

ESPALIER_OFFER(transpose_strip, transpose)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
