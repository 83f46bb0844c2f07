#include <espalier/kernels/loss.h>
#include <espalier/kernels/simd/lanes.h>
#include <espalier/kernels/simd/math.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

template <class A>
ESPALIER_INLINE Vec<A> larger(const Vec<A>& a, const Vec<A>& b) {
  return b > a ? b : a;
}

// `count` elements, fewer than a vector; the other lanes are -infinity.
template <class A, class T>
ESPALIER_INLINE Vec<A> load_some(const T* p, int64_t count) {
  A lanes[kLanes<A>];
  for (int i = 0; i < kLanes<A>; ++i) lanes[i] = -std::numeric_limits<A>::infinity();
  for (int64_t i = 0; i < count; ++i) lanes[i] = static_cast<A>(p[i]);
  return load<A>(lanes);
}

template <class A>
struct RowStats {
  A max, log_sum;  // of e^(x - max)
};

template <class T, class A = Compute<T>>
RowStats<A> stats_of(const T* x, int64_t n) {
  constexpr int L = kLanes<A>;
  int64_t whole = n - n % L;
  Vec<A> rest = load_some<A>(x + whole, n - whole), top = rest;
  for (int64_t i = 0; i < whole; i += L) top = larger<A>(top, load<A>(x + i));
  A max = top[0];
  for (int i = 1; i < L; ++i) max = top[i] > max ? top[i] : max;

  Vec<A> sums = exp<A>(rest - max);
  for (int64_t i = 0; i < whole; i += L) sums += exp<A>(load<A>(x + i) - max);
  for (int half = L / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) sums[i] += sums[i + half];
  }
  return {max, math::log(sums[0])};
}

void forward(const CrossEntropy& rows, const Labels& labels, int64_t begin, int64_t end, double* sum) {
  const int64_t* index = labels.index.data<int64_t>();
  int64_t classes = rows.x.shape[1];
  *sum = 0;
  visit_floating(rows.x.dtype, [&]<class T>(T) {
    using A = Compute<T>;
    auto* stats = rows.stats.data<RowStats<A>>();
    for (int64_t r = begin; r < end; ++r) {
      if (index[r] == labels.ignore) continue;
      const T* x = rows.x.data<T>() + r * classes;
      stats[r] = stats_of(x, classes);
      *sum += stats[r].log_sum - (static_cast<A>(x[index[r]]) - stats[r].max);
    }
  });
}

// (softmax(x) - 1 at the label) · scale
template <class T, class A = Compute<T>>
void gradient(const T* x, int64_t n, const RowStats<A>& stats, int64_t label, A scale, T* gx) {
  constexpr int L = kLanes<A>;
  int64_t whole = n - n % L;
  for (int64_t i = 0; i < whole; i += L) {
    store<T, A>(gx + i, exp<A>(load<A>(x + i) - stats.max - stats.log_sum) * scale);
  }
  Vec<A> rest = exp<A>(load_some<A>(x + whole, n - whole) - stats.max - stats.log_sum) * scale;
  store<T, A>(gx + whole, rest, n - whole);
  gx[label] = static_cast<T>(math::expm1(static_cast<A>(x[label]) - stats.max - stats.log_sum) * scale);
}

void backward(Array& gx, const CrossEntropy& rows, const Labels& labels, double scale, int64_t begin,
              int64_t end) {
  const int64_t* index = labels.index.data<int64_t>();
  int64_t classes = rows.x.shape[1];
  visit_floating(rows.x.dtype, [&]<class T>(T) {
    using A = Compute<T>;
    const auto* stats = rows.stats.data<RowStats<A>>();
    for (int64_t r = begin; r < end; ++r) {
      T* out = gx.data<T>() + r * classes;
      if (index[r] == labels.ignore) {
        for (int64_t i = 0; i < classes; ++i) out[i] = T(0);
      } else {
        gradient(rows.x.data<T>() + r * classes, classes, stats[r], index[r], static_cast<A>(scale), out);
      }
    }
  });
}

}  // namespace

ESPALIER_OFFER(cross_entropy_rows, forward)
ESPALIER_OFFER(cross_entropy_backward_rows, backward)

// log(1 + e^-|x|) is what log(p) and log(1 - p) have in common.
ESPALIER_ROW(floating_row, bce_with_logits, [](auto x, auto target, auto pos_weight) {
  auto linear = x < 0 ? -pos_weight * target : 1 - target;
  auto weight = 1 + (pos_weight - 1) * target;
  return linear * x + weight * math::log1p(math::exp(x < 0 ? x : -x));
})

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
