#include <algorithm>
#include <cstdint>
#include <utility>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/lanes.h>
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

#if defined(__AVX512F__)
// Rows i and i + kHalf exchange their blocks of kHalf elements that lie across the diagonal.
template <int kHalf, int... J>
ESPALIER_INLINE void exchange(Vec<uint32_t>& a, Vec<uint32_t>& b, std::integer_sequence<int, J...>) {
  Vec<uint32_t> upper = __builtin_shufflevector(a, b, ((J & kHalf) ? 16 + J - kHalf : J)...);
  b = __builtin_shufflevector(a, b, ((J & kHalf) ? 16 + J : J + kHalf)...);
  a = upper;
}
template <int kHalf>
ESPALIER_INLINE void exchange_all(Vec<uint32_t>* rows) {
#pragma GCC unroll 16
  for (int i = 0; i < 16; ++i) {
    if (!(i & kHalf)) exchange<kHalf>(rows[i], rows[i + kHalf], std::make_integer_sequence<int, 16>());
  }
}

// In registers. The lines of the next tiles are on their way meanwhile: they lie too far apart for the
// processor to see them coming.
void full_tile(const uint32_t* in, int64_t in_step, uint32_t* out, int64_t out_step) {
  for (int64_t i = 0; i < kTile; ++i) {
    __builtin_prefetch(in + (i + kTile) * in_step);
    __builtin_prefetch(out + i * out_step + 2 * kTile, 1);
  }
  Vec<uint32_t> rows[kTile];
  for (int64_t i = 0; i < kTile; ++i) rows[i] = load<uint32_t>(in + i * in_step);
  exchange_all<8>(rows), exchange_all<4>(rows), exchange_all<2>(rows), exchange_all<1>(rows);
  for (int64_t i = 0; i < kTile; ++i) store<uint32_t, uint32_t>(out + i * out_step, rows[i]);
}
#endif

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
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t r = 0; r < rows; ++r) to[r * out_step + i] = from[i * in_step + r];
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
