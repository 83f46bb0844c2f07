#include <espalier/core/threads.h>
#include <espalier/kernels/norm.h>

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

template <class T>
void moments(const BatchNormJob& j) {
  using C = Compute<T>;
  auto* x = static_cast<const T*>(j.x);
  auto *means = static_cast<C*>(j.first), *squares = static_cast<C*>(j.second);
  if (j.inner > 1) {
    return each_plane(j, [&](int64_t p, int64_t) {
      const T* v = x + p * j.inner;
      C pivot = v[0], n = static_cast<C>(j.inner);
      C mean = lane_sum<C>(j.inner, [&](int64_t i) { return v[i] - pivot; }) / n;
      auto centred = [&](int64_t i) { return (v[i] - pivot) - mean; };
      means[p] = mean;
      squares[p] = lane_sum<C>(j.inner, [&](int64_t i) { return centred(i) * centred(i); });
    });
  }
  each_chunk(j.outer, j.chunk, [&](int64_t k, int64_t first, int64_t last) {
    C *mean = means + k * j.channels, *square = squares + k * j.channels;
    const T* pivot = x + first * j.channels;
    for (int64_t c = 0; c < j.channels; ++c) mean[c] = square[c] = 0;
    for (int64_t r = first; r < last; ++r) {
      const T* row = x + r * j.channels;
      for (int64_t c = 0; c < j.channels; ++c) mean[c] += row[c] - pivot[c];
    }
    for (int64_t c = 0; c < j.channels; ++c) mean[c] /= static_cast<C>(last - first);
    for (int64_t r = first; r < last; ++r) {
      const T* row = x + r * j.channels;
      for (int64_t c = 0; c < j.channels; ++c) {
        C off = (row[c] - pivot[c]) - mean[c];
        square[c] += off * off;
      }
    }
  });
}

template <class T>
void sums(const BatchNormJob& j) {
  using C = Compute<T>;
  auto *x = static_cast<const T*>(j.x), *g = static_cast<const T*>(j.g);
  auto* mean = static_cast<const C*>(j.mean);
  auto *ones = static_cast<C*>(j.first), *others = static_cast<C*>(j.second);
  if (j.inner > 1) {
    return each_plane(j, [&](int64_t p, int64_t c) {
      const T *u = g + p * j.inner, *v = x + p * j.inner;
      ones[p] = lane_sum<C>(j.inner, [&](int64_t i) { return u[i]; });
      others[p] = lane_sum<C>(j.inner, [&](int64_t i) { return u[i] * (v[i] - mean[c]); });
    });
  }
  each_chunk(j.outer, j.chunk, [&](int64_t k, int64_t first, int64_t last) {
    C *one = ones + k * j.channels, *other = others + k * j.channels;
    for (int64_t c = 0; c < j.channels; ++c) one[c] = other[c] = 0;
    for (int64_t r = first; r < last; ++r) {
      const T *u = g + r * j.channels, *v = x + r * j.channels;
      for (int64_t c = 0; c < j.channels; ++c) {
        C gradient = u[c];
        one[c] += gradient;
        other[c] += gradient * (v[c] - mean[c]);
      }
    }
  });
}

// out[i] = f(x[i], g[i], channel)
template <class T, class F>
void each_element(const BatchNormJob& j, F&& f) {
  auto *x = static_cast<const T*>(j.x), *g = static_cast<const T*>(j.g);
  auto* out = static_cast<T*>(j.out);
  if (j.inner > 1) {
    return each_plane(j, [&](int64_t p, int64_t c) {
      for (int64_t i = p * j.inner; i < (p + 1) * j.inner; ++i) out[i] = static_cast<T>(f(x, g, i, c));
    });
  }
  parallel_for(j.outer, 1 + 16384 / j.channels, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; ++r) {
      int64_t at = r * j.channels;
      for (int64_t c = 0; c < j.channels; ++c) out[at + c] = static_cast<T>(f(x, g, at + c, c));
    }
  });
}

template <class T>
void apply(const BatchNormJob& j) {
  using C = Compute<T>;
  auto *mean = static_cast<const C*>(j.mean), *a = static_cast<const C*>(j.a),
       *b = static_cast<const C*>(j.b);
  each_element<T>(j,
                  [=](const T* x, const T*, int64_t i, int64_t c) { return (x[i] - mean[c]) * a[c] + b[c]; });
}

template <class T>
void gradient(const BatchNormJob& j) {
  using C = Compute<T>;
  auto *mean = static_cast<const C*>(j.mean), *a = static_cast<const C*>(j.a),
       *b = static_cast<const C*>(j.b), *d = static_cast<const C*>(j.c);
  each_element<T>(j, [=](const T* x, const T* g, int64_t i, int64_t c) {
    return (g[i] - b[c] - (x[i] - mean[c]) * d[c]) * a[c];
  });
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
