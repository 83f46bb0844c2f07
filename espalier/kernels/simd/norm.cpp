#include <espalier/core/threads.h>
#include <espalier/kernels/norm.h>
#include <espalier/kernels/simd/row.h>

#include <cmath>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kLanes = 32;

// The sum of f(i) over [0, n), lane by lane.
template <class C, class F>
C lane_sum(int64_t n, F&& f) {
  C lane[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int64_t j = 0; j < kLanes; ++j) lane[j] += f(i + j);
  }
  for (int64_t j = 0; i + j < n; ++j) lane[j] += f(i + j);
  for (int64_t half = kLanes / 2; half > 0; half /= 2) {
    for (int64_t j = 0; j < half; ++j) lane[j] += lane[j + half];
  }
  return lane[0];
}

// Calls f(chunk's number, first outer position, one past its last) in parallel.
template <class F>
void each_chunk(int64_t outer, int64_t chunk, F&& f) {
  int64_t chunks = (outer + chunk - 1) / chunk;
  parallel_for(chunks, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) f(k, k * chunk, outer < (k + 1) * chunk ? outer : (k + 1) * chunk);
  });
}

// Calls f(offset, channel, count of elements of that channel) for the parts of one channel in row-major
// order.
template <class F>
void each_plane(const BatchNormJob& j, F&& f) {
  parallel_for(j.outer * j.channels, 1 + 16384 / j.inner, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) f(p, p % j.channels);
  });
}

// Some rows of at most kLanes channels: what is kept for each of them fits in registers.
template <bool kFull>
struct Block {
  int64_t chunk, first, last, channel, count;
  int64_t n() const { return kFull ? kLanes : count; }

  // Calls f(place of the first channel, in elements) for each row.
  template <class F>
  void each_row(const BatchNormJob& j, F&& f) const {
    for (int64_t row = first; row < last; ++row) f(row * j.channels + channel);
  }
  // The values of `all` that belong to these channels.
  template <class C>
  void load(C* to, const void* all) const {
    for (int64_t i = 0; i < n(); ++i) to[i] = static_cast<const C*>(all)[channel + i];
  }
  // Those of this chunk's row of partial results.
  template <class C>
  void store(const BatchNormJob& j, void* rows, const C* from) const {
    for (int64_t i = 0; i < n(); ++i) static_cast<C*>(rows)[chunk * j.channels + channel + i] = from[i];
  }
};

// Calls f(block) for all blocks, chunk by chunk, in parallel. For channels-last order.
template <class F>
void each_block(const BatchNormJob& j, F&& f) {
  each_chunk(j.outer, j.chunk, [&](int64_t k, int64_t first, int64_t last) {
    int64_t c = 0;
    for (; c + kLanes <= j.channels; c += kLanes) f(Block<true>{k, first, last, c, kLanes});
    if (c < j.channels) f(Block<false>{k, first, last, c, j.channels - c});
  });
}

template <class T>
void moments_of_planes(const BatchNormJob& j) {
  using C = Compute<T>;
  each_plane(j, [&](int64_t p, int64_t) {
    const T* v = static_cast<const T*>(j.x) + p * j.inner;
    C pivot = v[0], n = static_cast<C>(j.inner);
    C mean = lane_sum<C>(j.inner, [&](int64_t i) { return v[i] - pivot; }) / n;
    auto centred = [&](int64_t i) { return (v[i] - pivot) - mean; };
    static_cast<C*>(j.first)[p] = mean;
    static_cast<C*>(j.second)[p] = lane_sum<C>(j.inner, [&](int64_t i) { return centred(i) * centred(i); });
  });
}

template <class T>
void moments(const BatchNormJob& j) {
  using C = Compute<T>;
  if (j.inner > 1) return moments_of_planes<T>(j);
  each_block(j, [&](auto block) {
    const int64_t n = block.n();
    auto* x = static_cast<const T*>(j.x);
    const T* start = x + block.first * j.channels + block.channel;
    C pivot[kLanes] = {}, mean[kLanes] = {}, square[kLanes] = {};
    for (int64_t i = 0; i < n; ++i) pivot[i] = start[i];
    block.each_row(j, [&](int64_t at) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) mean[i] += x[at + i] - pivot[i];
    });
    for (int64_t i = 0; i < n; ++i) mean[i] /= static_cast<C>(block.last - block.first);
    block.each_row(j, [&](int64_t at) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) {
        C off = (x[at + i] - pivot[i]) - mean[i];
        square[i] += off * off;
      }
    });
    block.store(j, j.first, mean), block.store(j, j.second, square);
  });
}

// The gradient of element i, where a ReLU behind let it through.
template <class T, bool kMask>
struct Gradient {
  const T *g, *mask;
  Compute<T> operator()(int64_t i) const {
    Compute<T> value = g[i];
    if constexpr (kMask) value = static_cast<Compute<T>>(mask[i]) <= 0 ? 0 : value;
    return value;
  }
};
template <class T, bool kMask>
Gradient<T, kMask> gradient_of(const BatchNormJob& j) {
  return {static_cast<const T*>(j.g), static_cast<const T*>(j.mask)};
}

template <class T, bool kMask>
void sums_of_planes(const BatchNormJob& j) {
  using C = Compute<T>;
  auto g = gradient_of<T, kMask>(j);
  each_plane(j, [&](int64_t p, int64_t c) {
    int64_t first = p * j.inner;
    auto* x = static_cast<const T*>(j.x) + first;
    C mean = static_cast<const C*>(j.mean)[c];
    static_cast<C*>(j.first)[p] = lane_sum<C>(j.inner, [&](int64_t i) { return g(first + i); });
    static_cast<C*>(j.second)[p] =
        lane_sum<C>(j.inner, [&](int64_t i) { return g(first + i) * (x[i] - mean); });
  });
}

template <class T, bool kMask>
void sums(const BatchNormJob& j) {
  using C = Compute<T>;
  if (j.inner > 1) return sums_of_planes<T, kMask>(j);
  auto g = gradient_of<T, kMask>(j);
  each_block(j, [&](auto block) {
    const int64_t n = block.n();
    auto* x = static_cast<const T*>(j.x);
    C mean[kLanes] = {}, one[kLanes] = {}, other[kLanes] = {};
    block.load(mean, j.mean);
    block.each_row(j, [&](int64_t at) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) {
        C gradient = g(at + i);
        one[i] += gradient;
        other[i] += gradient * (x[at + i] - mean[i]);
      }
    });
    block.store(j, j.first, one), block.store(j, j.second, other);
  });
}

// out[i] = f(i, mean, a, b, c of i's channel)
template <class T, class F>
void each_element(const BatchNormJob& j, F&& f) {
  using C = Compute<T>;
  auto* out = static_cast<T*>(j.out);
  if (j.inner > 1) {
    return each_plane(j, [&](int64_t p, int64_t channel) {
      auto of = [&](const void* all) { return all ? static_cast<const C*>(all)[channel] : C(0); };
      C mean = of(j.mean), a = of(j.a), b = of(j.b), c = of(j.c);
      ESPALIER_VECTORISE
      for (int64_t i = p * j.inner; i < (p + 1) * j.inner; ++i) out[i] = static_cast<T>(f(i, mean, a, b, c));
    });
  }
  each_block(j, [&](auto block) {
    const int64_t n = block.n();
    C mean[kLanes] = {}, a[kLanes] = {}, b[kLanes] = {}, c[kLanes] = {};
    block.load(mean, j.mean), block.load(a, j.a), block.load(b, j.b);
    if (j.c) block.load(c, j.c);
    block.each_row(j, [&](int64_t at) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) out[at + i] = static_cast<T>(f(at + i, mean[i], a[i], b[i], c[i]));
    });
  });
}

template <class T, bool kPlus, bool kRelu>
void apply(const BatchNormJob& j) {
  using C = Compute<T>;
  auto *x = static_cast<const T*>(j.x), *plus = static_cast<const T*>(j.plus);
  each_element<T>(j, [=](int64_t i, C mean, C a, C b, C) {
    C y = (x[i] - mean) * a + b;
    if constexpr (kPlus) y += plus[i];
    if constexpr (kRelu) y = y < 0 ? 0 : y;
    return y;
  });
}
template <class T>
void apply(const BatchNormJob& j) {
  if (j.plus) return j.relu ? apply<T, true, true>(j) : apply<T, true, false>(j);
  return j.relu ? apply<T, false, true>(j) : apply<T, false, false>(j);
}

template <class T, bool kMask>
void gradient(const BatchNormJob& j) {
  using C = Compute<T>;
  auto g = gradient_of<T, kMask>(j);
  auto* x = static_cast<const T*>(j.x);
  each_element<T>(j, [=](int64_t i, C mean, C a, C b, C c) { return (g(i) - b - (x[i] - mean) * c) * a; });
}

template <class T>
void sums(const BatchNormJob& j) {
  return j.mask ? sums<T, true>(j) : sums<T, false>(j);
}
template <class T>
void gradient(const BatchNormJob& j) {
  return j.mask ? gradient<T, true>(j) : gradient<T, false>(j);
}

template <class T>
void rows(const LayerNormJob& j) {
  using C = Compute<T>;
  auto *weight = static_cast<const C*>(j.weight), *bias = static_cast<const C*>(j.bias);
  auto n = static_cast<C>(j.n);
  parallel_for(j.rows, 1 + 16384 / j.n, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      const T* x = static_cast<const T*>(j.x) + r * j.n;
      T* y = static_cast<T*>(j.out) + r * j.n;
      C pivot = x[0];
      C mean = lane_sum<C>(j.n, [&](int64_t i) { return x[i] - pivot; }) / n;
      auto centred = [&](int64_t i) { return (x[i] - pivot) - mean; };
      C var = lane_sum<C>(j.n, [&](int64_t i) { return centred(i) * centred(i); }) / n;
      C scale = 1 / std::sqrt(var + static_cast<C>(j.eps));
      for (int64_t i = 0; i < j.n; ++i) y[i] = static_cast<T>(centred(i) * scale * weight[i] + bias[i]);
      static_cast<C*>(j.mean)[r] = mean;
      static_cast<C*>(j.scale)[r] = scale;
    }
  });
}

template <class T>
void gradient_rows(const LayerNormJob& j) {
  using C = Compute<T>;
  auto* weight = static_cast<const C*>(j.weight);
  auto n = static_cast<C>(j.n);
  each_chunk(j.rows, j.chunk, [&](int64_t k, int64_t first, int64_t last) {
    C *g_weight = static_cast<C*>(j.g_weight) + k * j.n, *g_bias = static_cast<C*>(j.g_bias) + k * j.n;
    for (int64_t i = 0; i < j.n; ++i) g_weight[i] = g_bias[i] = 0;
    for (int64_t r = first; r < last; ++r) {
      const T *x = static_cast<const T*>(j.x) + r * j.n, *g = static_cast<const T*>(j.g) + r * j.n;
      T* gx = static_cast<T*>(j.out) + r * j.n;
      C pivot = x[0], mean = static_cast<const C*>(j.mean)[r], scale = static_cast<const C*>(j.scale)[r];
      auto normal = [&](int64_t i) { return ((x[i] - pivot) - mean) * scale; };
      C one = lane_sum<C>(j.n, [&](int64_t i) { return g[i] * weight[i]; }) / n;
      C two = lane_sum<C>(j.n, [&](int64_t i) { return g[i] * weight[i] * normal(i); }) / n;
      for (int64_t i = 0; i < j.n; ++i) {
        C value = normal(i);
        gx[i] = static_cast<T>((g[i] * weight[i] - one - value * two) * scale);
        g_weight[i] += g[i] * value;
        g_bias[i] += g[i];
      }
    }
  });
}

#define ESPALIER_FLOATING(name, Job, f)                  \
  void name(const Job& j) {                              \
    if (j.dtype == DType::float64) f<double>(j);         \
    else if (j.dtype == DType::bfloat16) f<BFloat16>(j); \
    else f<float>(j);                                    \
  }
ESPALIER_FLOATING(moments_any, BatchNormJob, moments)
ESPALIER_FLOATING(sums_any, BatchNormJob, sums)
ESPALIER_FLOATING(apply_any, BatchNormJob, apply)
ESPALIER_FLOATING(gradient_any, BatchNormJob, gradient)
ESPALIER_FLOATING(rows_any, LayerNormJob, rows)
ESPALIER_FLOATING(gradient_rows_any, LayerNormJob, gradient_rows)
#undef ESPALIER_FLOATING

}  // namespace

ESPALIER_OFFER(batch_moments_chunks, moments_any)
ESPALIER_OFFER(batch_norm_sums, sums_any)
ESPALIER_OFFER(batch_norm_apply, apply_any)
ESPALIER_OFFER(batch_norm_gradient, gradient_any)
ESPALIER_OFFER(layer_norm_rows, rows_any)
ESPALIER_OFFER(layer_norm_gradient_rows, gradient_rows_any)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
