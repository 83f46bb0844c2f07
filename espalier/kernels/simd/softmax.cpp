#include <espalier/kernels/softmax.h>

#include <cmath>

#include <espalier/core/threads.h>
#include <espalier/kernels/simd/lanes.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kGrain = 1 << 13;

// One line in vectors: of its own elements (a row), or of those that as many lines have at one place
// (columns).
template <class T, bool Row>
class Line {
 public:
  using A = Compute<T>;
  using V = Vec<A>;
  static constexpr int L = kLanes<A>;

  // `steps` vectors, `step` elements apart; `lanes` are in the last vector of a row, in every one of columns.
  Line(T* y, const T* x, int64_t steps, int64_t step, int64_t lanes)
      : y_(y), x_(x), steps_(steps), step_(step), lanes_(lanes) {
    if (Row && lanes < L) tail_ = part(steps - 1);
  }

  void run(bool log) {
    constexpr A kInfinity = std::numeric_limits<A>::infinity();
    V largest = broadcast<A>(-kInfinity), sum = {};
    each([&](const V& x, int64_t, int64_t) { largest = x > largest ? x : largest; });
    if (Row) join(largest, [](A a, A b) { return a > b ? a : b; });
    each([&](const V& x, int64_t, int64_t) { sum += exp<A>(x - largest); });
    if (Row) join(sum, [](A a, A b) { return a + b; });
    if (log) {
      if (Row) sum = broadcast<A>(std::log(sum[0]));
      else logarithms(sum);
      each([&](const V& x, int64_t at, int64_t n) { store<T, A>(y_ + at, x - largest - sum, n); });
    } else {
      sum = A(1) / sum;
      each([&](const V& x, int64_t at, int64_t n) { store<T, A>(y_ + at, exp<A>(x - largest) * sum, n); });
    }
  }

 private:
  // f(vector, where it begins, lanes in use); the other lanes are -infinity.
  template <class F>
  ESPALIER_INLINE void each(F&& f) const {
    int64_t full = Row ? steps_ - (lanes_ < L) : lanes_ == L ? steps_ : 0;
    for (int64_t i = 0; i < full; ++i) f(load<A>(x_ + i * step_), i * step_, L);
    for (int64_t i = full; i < steps_; ++i) f(Row ? tail_ : part(i), i * step_, lanes_);
  }
  ESPALIER_INLINE V part(int64_t i) const {
    return load<A>(x_ + i * step_, lanes_, -std::numeric_limits<A>::infinity());
  }

  static void logarithms(V& v) {
    for (int i = 0; i < L; ++i) v[i] = std::log(v[i]);
  }

  template <class F>
  static void join(V& v, F f) {
    A lanes[L];
    __builtin_memcpy(lanes, &v, sizeof lanes);
    for (int half = L / 2; half > 0; half /= 2) {
      for (int i = 0; i < half; ++i) lanes[i] = f(lanes[i], lanes[i + half]);
    }
    v = broadcast<A>(lanes[0]);
  }

  T* y_;
  const T* x_;
  int64_t steps_, step_, lanes_;
  V tail_;  // the last vector of a row, where that is not full
};

void lines(DType dtype, void* out, const void* x, int64_t outer, int64_t n, int64_t inner, bool log) {
  visit_floating(dtype, [&]<class T>(T) {
    constexpr int L = kLanes<Compute<T>>;
    auto* y = static_cast<T*>(out);
    auto* p = static_cast<const T*>(x);
    int64_t tiles = (inner + L - 1) / L, work = inner == 1 ? n : n * L;
    parallel_for(outer * tiles, work < kGrain ? kGrain / work : 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        if (inner == 1) {
          Line<T, true>(y + i * n, p + i * n, (n + L - 1) / L, L, n % L ? n % L : L).run(log);
        } else {
          int64_t at = i / tiles * n * inner + i % tiles * L, left = inner - i % tiles * L;
          Line<T, false>(y + at, p + at, n, inner, left < L ? left : L).run(log);
        }
      }
    });
  });
}

ESPALIER_OFFER(softmax_lines, lines)

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
