#include <espalier/core/threads.h>
#include <espalier/kernels/columns.h>
#include <espalier/kernels/simd/lanes.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

void gather(const ColumnsJob& j) {
  const ConvGeometry& g = j.geometry;
  size_t bytes = static_cast<size_t>(j.channels) * sizeof(uint16_t);
  parallel_for(j.images * j.out_h * j.out_w, 16, [&](int64_t begin, int64_t end) {
    uint16_t* to = j.to + begin * j.taps_h * j.taps_w * j.channels;
    for (int64_t place = begin; place < end; ++place) {
      int64_t image = place / (j.out_h * j.out_w), row = place / j.out_w % j.out_h, col = place % j.out_w;
      for (int64_t a = 0; a < j.taps_h; ++a) {
        int64_t h = row * g.stride.h - g.padding.h + a * g.dilation.h;
        for (int64_t b = 0; b < j.taps_w; ++b, to += j.channels) {
          int64_t w = col * g.stride.w - g.padding.w + b * g.dilation.w;
          bool inside = h >= 0 && h < j.h && w >= 0 && w < j.w;
          if (inside) __builtin_memcpy(to, j.from + ((image * j.h + h) * j.w + w) * j.channels, bytes);
          else __builtin_memset(to, 0, bytes);
        }
      }
    }
  });
}

// Where the row or column `at` of x stands in the columns for tap `tap`; -1 where it does not.
int64_t place_of(int64_t at, int64_t tap, int64_t stride, int64_t padding, int64_t dilation, int64_t size) {
  int64_t from = at + padding - tap * dilation;
  return from >= 0 && from % stride == 0 && from / stride < size ? from / stride : -1;
}

// Rounded to nearest, halves to even; NaN stays NaN.
ESPALIER_INLINE void store_bfloat16(uint16_t* to, const Vec<float>& v, int64_t count) {
  auto bits = __builtin_bit_cast(Vec<uint32_t>, v);
  Vec<uint32_t> rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, quiet = (bits >> 16) | 0x40;
  Vec<uint32_t> chosen = (bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded;
  auto narrow = __builtin_convertvector(chosen, typename VecOf<uint16_t, 32>::type);
  __builtin_memcpy(to, &narrow, static_cast<size_t>(count) * sizeof(uint16_t));
}

// The sum of `count` vectors of n elements.
void sum(const uint16_t* const* parts, int count, int64_t n, uint16_t* to) {
  constexpr int64_t kWide = kLanes<float>;
  for (int64_t c = 0; c < n; c += kWide) {
    int64_t width = n - c < kWide ? n - c : kWide;
    Vec<float> total = {};
    for (int i = 0; i < count; ++i) {
      auto* part = reinterpret_cast<const BFloat16*>(parts[i]) + c;
      total += width == kWide ? load<float>(part) : load<float>(part, width, 0.0f);
    }
    store_bfloat16(to + c, total, width);
  }
}

void scatter(const ColumnsJob& j) {
  const ConvGeometry& g = j.geometry;
  int64_t taps = j.taps_h * j.taps_w;
  parallel_for(j.images * j.h * j.w, 16, [&](int64_t begin, int64_t end) {
    constexpr int kMost = 64;
    const uint16_t* parts[kMost];
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      int64_t image = pixel / (j.h * j.w), h = pixel / j.w % j.h, w = pixel % j.w;
      int count = 0;
      for (int64_t tap = 0; tap < taps && count < kMost; ++tap) {
        int64_t row = place_of(h, tap / j.taps_w, g.stride.h, g.padding.h, g.dilation.h, j.out_h);
        int64_t col = place_of(w, tap % j.taps_w, g.stride.w, g.padding.w, g.dilation.w, j.out_w);
        if (row < 0 || col < 0) continue;
        parts[count++] = j.from + (((image * j.out_h + row) * j.out_w + col) * taps + tap) * j.channels;
      }
      sum(parts, count, j.channels, j.to + pixel * j.channels);
    }
  });
}

}  // namespace

ESPALIER_OFFER(gather_columns, gather)
ESPALIER_OFFER(sum_columns, scatter)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
