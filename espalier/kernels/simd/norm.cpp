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

// How many channels there are, known to the compiler.
template <int64_t kCount>
struct Count {
  constexpr operator int64_t() const { return kCount; }
};

// Calls f(chunk's number, place of its first element, one past its last, channels) in parallel. For
// channels-last order, where each chunk is read from its beginning to its end: a processor fetches ahead what
// lies side by side.
template <class F>
void each_chunk_of(const BatchNormJob& j, F&& f) {
  auto with = [&](auto channels) {
    each_chunk(j.outer, j.chunk, [&](int64_t k, int64_t first, int64_t last) {
      f(k, first * channels, last * channels, channels);
    });
  };
  if (j.channels == 32) with(Count<32>());
  else if (j.channels == 64) with(Count<64>());
  else with(j.channels);
}

// A sum for each channel of row k of partial results, [channels]: in registers where their number is known.
template <class C, class N>
struct Sums {
  C* values;
  Sums(const BatchNormJob& j, void* rows, int64_t k, N n) : values(static_cast<C*>(rows) + k * j.channels) {
    for (int64_t i = 0; i < n; ++i) values[i] = 0;
  }
  void store() const {}
};
template <class C, int64_t kCount>
struct Sums<C, Count<kCount>> {
  C values[kCount] = {};
  C* row;
  Sums(const BatchNormJob&, void* rows, int64_t k, Count<kCount>) : row(static_cast<C*>(rows) + k * kCount) {}
  void store() const {
    for (int64_t i = 0; i < kCount; ++i) row[i] = values[i];
  }
};

// A number for each channel, likewise.
template <class C, class N>
struct Given {
  const C* values;
  Given(const void* all, N) : values(static_cast<const C*>(all)) {}
};
template <class C, int64_t kCount>
struct Given<C, Count<kCount>> {
  C values[kCount];
  Given(const void* all, Count<kCount>) {
    for (int64_t i = 0; i < kCount; ++i) values[i] = static_cast<const C*>(all)[i];
  }
};

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
  each_chunk_of(j, [&]<class N>(int64_t k, int64_t first, int64_t last, N channels) {
    const int64_t n = channels;
    auto* x = static_cast<const T*>(j.x);
    Sums<C, N> mean(j, j.first, k, channels), square(j, j.second, k, channels);
    const T* pivot = x + first;
    for (int64_t at = first; at < last; at += n) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) mean.values[i] += x[at + i] - pivot[i];
    }
    for (int64_t i = 0; i < n; ++i) mean.values[i] /= static_cast<C>((last - first) / n);
    for (int64_t at = first; at < last; at += n) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) {
        C off = (x[at + i] - pivot[i]) - mean.values[i];
        square.values[i] += off * off;
      }
    }
    mean.store(), square.store();
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
  each_chunk_of(j, [&]<class N>(int64_t k, int64_t first, int64_t last, N channels) {
    const int64_t n = channels;
    auto* x = static_cast<const T*>(j.x);
    Given<C, N> mean(j.mean, channels);
    Sums<C, N> one(j, j.first, k, channels), other(j, j.second, k, channels);
    for (int64_t at = first; at < last; at += n) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) {
        C gradient = g(at + i);
        one.values[i] += gradient;
        other.values[i] += gradient * (x[at + i] - mean.values[i]);
      }
    }
    one.store(), other.store();
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
  each_chunk_of(j, [&]<class N>(int64_t, int64_t first, int64_t last, N channels) {
    const int64_t n = channels;
    Given<C, N> mean(j.mean, channels), a(j.a, channels), b(j.b, channels), c(j.c ? j.c : j.b, channels);
    for (int64_t at = first; at < last; at += n) {
      ESPALIER_VECTORISE
      for (int64_t i = 0; i < n; ++i) {
        out[at + i] = static_cast<T>(f(at + i, mean.values[i], a.values[i], b.values[i], c.values[i]));
      }
    }
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
