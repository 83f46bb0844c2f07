#include <espalier/core/threads.h>
#include <espalier/kernels/pool.h>
#include <espalier/kernels/simd/lanes.h>
#include <espalier/kernels/simd/row.h>

#include <limits>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kBlock = 64;  // channels that are worked on together

int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }

// Calls f(window's number, its first place in `in`, row window, column window, channel, count) for each place
// of the output of image `n`; places count pixels.
template <class F>
void each_window(const PoolJob& j, int64_t n, F&& f) {
  for (int64_t i = 0; i < j.h.out; ++i) {
    for (int64_t k = 0; k < j.w.out; ++k) f((n * j.h.out + i) * j.w.out + k, j.h.windows[i], j.w.windows[k]);
  }
}

// Calls f(pixel) for the pixels of a window, counted in its image.
template <class F>
void each_pixel(const PoolJob& j, const PoolWindow& rows, const PoolWindow& cols, F&& f) {
  for (int64_t h = rows.begin; h < rows.end; h += j.h.step) {
    for (int64_t w = cols.begin; w < cols.end; w += j.w.step) f(h * j.w.in + w);
  }
}

// Calls f(image, first channel, count) for blocks of channels, in parallel.
template <class F>
void each_block(const PoolJob& j, F&& f) {
  int64_t blocks = (j.channels + kBlock - 1) / kBlock;
  int64_t work = j.h.in * j.w.in * smaller(j.channels, kBlock);
  parallel_for(j.images * blocks, 1 + 16384 / work, [&](int64_t begin, int64_t end) {
    for (int64_t b = begin; b < end; ++b) {
      int64_t c = b % blocks * kBlock;
      f(b / blocks, c, smaller(kBlock, j.channels - c));
    }
  });
}

// Calls f(image, row of windows) for the rows of all images, in parallel.
template <class F>
void each_row(const PoolJob& j, F&& f) {
  int64_t work = j.h.in * j.w.in * j.channels / j.h.out;
  parallel_for(j.images * j.h.out, 1 + 8192 / (work + 1), [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) f(r / j.h.out, r % j.h.out);
  });
}

// The pixel that `at` gives for a window in which nothing is above -infinity.
int64_t first_pixel(const PoolJob& j, const PoolWindow& rows, const PoolWindow& cols) {
  bool empty = rows.begin >= rows.end || cols.begin >= cols.end;
  return empty ? -1 : rows.begin * j.w.in + cols.begin;
}

// The largest of one channel in a window, and where, if `at` is not null.
template <class T>
void max_channel(const PoolJob& j, const PoolWindow& rows, const PoolWindow& cols, const T* x, T* y,
                 int32_t* at) {
  using C = Compute<T>;
  C best = -std::numeric_limits<C>::infinity();
  int64_t where = first_pixel(j, rows, cols);
  each_pixel(j, rows, cols, [&](int64_t pixel) {
    C v = x[pixel * j.channels];
    bool larger = (v > best) | (v != v);
    best = larger ? v : best;
    where = larger ? pixel : where;
  });
  *y = static_cast<T>(best);
  if (at) *at = static_cast<int32_t>(where);
}

// The same of a vector of channels.
template <class T>
void max_channels(const PoolJob& j, const PoolWindow& rows, const PoolWindow& cols, const T* x, T* y,
                  int32_t* at) {
  using C = Compute<T>;
  using I = Bits<C>;
  Vec<C> best = broadcast(-std::numeric_limits<C>::infinity());
  Vec<I> where = broadcast(static_cast<I>(first_pixel(j, rows, cols)));
  each_pixel(j, rows, cols, [&](int64_t pixel) {
    auto v = load<C>(x + pixel * j.channels);
    auto larger = (v > best) | (v != v);
    best = larger ? v : best;
    where = larger ? broadcast(static_cast<I>(pixel)) : where;
  });
  store<T, C>(y, best);
  if (at) store<int32_t, I>(at, where);
}

template <class T>
void max_images(const PoolJob& j) {
  constexpr int kVector = kLanes<Compute<T>>;
  each_row(j, [&](int64_t n, int64_t row) {
    const T* x = static_cast<const T*>(j.in) + n * j.h.in * j.w.in * j.channels;
    for (int64_t k = 0; k < j.w.out; ++k) {
      const PoolWindow &rows = j.h.windows[row], &cols = j.w.windows[k];
      int64_t to = ((n * j.h.out + row) * j.w.out + k) * j.channels, c = 0;
      T* y = static_cast<T*>(j.out) + to;
      int32_t* at = j.at ? j.at + to : nullptr;
      for (; c + kVector <= j.channels; c += kVector) {
        max_channels(j, rows, cols, x + c, y + c, at ? at + c : nullptr);
      }
      for (; c < j.channels; ++c) max_channel(j, rows, cols, x + c, y + c, at ? at + c : nullptr);
    }
  });
}

// Adds value(i, pixel, place's first channel) to each pixel's channels, for all windows of an image.
template <class T, class F>
void scatter(const PoolJob& j, F&& value) {
  each_block(j, [&](int64_t n, int64_t c, int64_t count) {
    T* gx = static_cast<T*>(j.in) + n * j.h.in * j.w.in * j.channels + c;
    for (int64_t pixel = 0; pixel < j.h.in * j.w.in; ++pixel) {
      for (int64_t i = 0; i < count; ++i) gx[pixel * j.channels + i] = T(0);
    }
    each_window(j, n, [&](int64_t place, const PoolWindow& rows, const PoolWindow& cols) {
      int64_t first = place * j.channels + c;
      auto scale = static_cast<Compute<T>>(1 / (rows.size * cols.size));
      each_pixel(j, rows, cols, [&](int64_t pixel) {
        T* to = gx + pixel * j.channels;
        ESPALIER_VECTORISE
        for (int64_t i = 0; i < count; ++i) to[i] = static_cast<T>(to[i] + value(first + i, pixel, scale));
      });
    });
  });
}

template <class T>
void max_scatter(const PoolJob& j) {
  auto* g = static_cast<const T*>(j.out);
  scatter<T>(j, [&](int64_t i, int64_t pixel, Compute<T>) {
    auto v = static_cast<Compute<T>>(g[i]);
    return j.at[i] == static_cast<int32_t>(pixel) ? v : 0;
  });
}

template <class T>
void avg_scatter(const PoolJob& j) {
  auto* g = static_cast<const T*>(j.out);
  scatter<T>(j, [&](int64_t i, int64_t, Compute<T> scale) { return g[i] * scale; });
}

// The means of `count` channels in a window, summed in S.
template <class S, class T>
void average(const PoolJob& j, const PoolWindow& rows, const PoolWindow& cols, const T* x, T* y,
             int64_t count) {
  S sum[kBlock] = {};
  each_pixel(j, rows, cols, [&](int64_t pixel) {
    const T* from = x + pixel * j.channels;
    for (int64_t i = 0; i < count; ++i) sum[i] += static_cast<S>(from[i]);
  });
  S size = static_cast<S>(rows.size * cols.size);
  for (int64_t i = 0; i < count; ++i) y[i] = static_cast<T>(static_cast<Compute<T>>(sum[i] / size));
}

template <class T>
void avg_images(const PoolJob& j) {
  constexpr int64_t kFew = 64;  // pixels that may be summed one after the other in T
  each_row(j, [&](int64_t n, int64_t row) {
    const T* x = static_cast<const T*>(j.in) + n * j.h.in * j.w.in * j.channels;
    T* y = static_cast<T*>(j.out) + (n * j.h.out + row) * j.w.out * j.channels;
    for (int64_t k = 0; k < j.w.out; ++k, y += j.channels) {
      const PoolWindow &rows = j.h.windows[row], &cols = j.w.windows[k];
      bool few = (rows.end - rows.begin) * (cols.end - cols.begin) <= kFew;
      for (int64_t c = 0; c < j.channels; c += kBlock) {
        int64_t count = smaller(kBlock, j.channels - c);
        if (few) average<Compute<T>>(j, rows, cols, x + c, y + c, count);
        else average<double>(j, rows, cols, x + c, y + c, count);
      }
    }
  });
}

#define ESPALIER_FLOATING(name, f)                       \
  void name(const PoolJob& j) {                          \
    if (j.dtype == DType::float64) f<double>(j);         \
    else if (j.dtype == DType::bfloat16) f<BFloat16>(j); \
    else f<float>(j);                                    \
  }
ESPALIER_FLOATING(max_any, max_images)
ESPALIER_FLOATING(max_scatter_any, max_scatter)
ESPALIER_FLOATING(avg_any, avg_images)
ESPALIER_FLOATING(avg_scatter_any, avg_scatter)
#undef ESPALIER_FLOATING

}  // namespace

ESPALIER_OFFER(max_pool_images, max_any)
ESPALIER_OFFER(max_scatter_images, max_scatter_any)
ESPALIER_OFFER(avg_pool_images, avg_any)
ESPALIER_OFFER(avg_scatter_images, avg_scatter_any)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
