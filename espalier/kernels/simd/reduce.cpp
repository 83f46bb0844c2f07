#include <espalier/kernels/reduce.h>

#include <cmath>

#include <espalier/core/allocator.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/simd/lanes.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// How elements of T are reduced: the type of the accumulator, what it starts from, how it takes an element
// in, how two are joined, and an element that changes nothing. The functions work on vectors; join on single
// values too.
template <class T>
using SumType = std::conditional_t<std::is_integral_v<T>, int64_t, Compute<T>>;

struct Sum {
  static constexpr bool kWide = true;
  template <class T>
  using Acc = SumType<T>;
  template <class T>
  using Out = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
  template <class A>
  static A start() {
    return 0;
  }
  template <class A>
  static A neutral(A) {
    return 0;
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V&) {
    return acc + x;
  }
  template <class V>
  ESPALIER_INLINE static V join(const V& a, const V& b) {
    return a + b;
  }
  template <class A>
  static A finish(A acc, A, const Reduction& r) {
    return std::is_integral_v<A> ? acc : acc / static_cast<A>(r.divisor);
  }
};

struct Product : Sum {
  static constexpr bool kWide = false;
  template <class A>
  static A start() {
    return 1;
  }
  template <class A>
  static A neutral(A) {
    return 1;
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V&) {
    return acc * x;
  }
  template <class V>
  ESPALIER_INLINE static V join(const V& a, const V& b) {
    return a * b;
  }
};

struct Squares : Sum {
  template <class A>
  static A neutral(A center) {
    return center;
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V& center) {
    V d = x - center;
    return acc + d * d;
  }
  template <class A>
  static A finish(A acc, A, const Reduction& r) {
    A y = acc / static_cast<A>(r.divisor);
    return r.root ? std::sqrt(y) : y;
  }
};

struct Exponentials : Sum {
  static constexpr bool kWide = false;
  template <class A>
  static A neutral(A) {
    return -std::numeric_limits<A>::infinity();
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V& center) {
    using A = std::remove_reference_t<decltype(x[0])>;
    V shift = center - center == 0 ? center : V{};
    return acc + exp<A>(x - shift);
  }
  template <class A>
  static A finish(A acc, A center, const Reduction&) {
    return std::log(acc) + (std::isfinite(center) ? center : 0);
  }
};

struct Max {
  static constexpr bool kWide = false;
  template <class T>
  using Acc = std::conditional_t<std::is_same_v<T, bool>, uint8_t, Compute<T>>;
  template <class T>
  using Out = T;
  template <class A>
  static A start() {
    return std::numeric_limits<A>::has_infinity ? -std::numeric_limits<A>::infinity()
                                                : std::numeric_limits<A>::lowest();
  }
  template <class A>
  static A neutral(A) {
    return start<A>();
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V&) {
    return join(acc, x);
  }
  template <class V>
  ESPALIER_INLINE static V join(const V& a, const V& b) {
    return ((b > a) | (b != b)) ? b : a;
  }
  template <class A>
  static A finish(A acc, A, const Reduction&) {
    return acc;
  }
};

struct Min : Max {
  template <class A>
  static A start() {
    return std::numeric_limits<A>::has_infinity ? std::numeric_limits<A>::infinity()
                                                : std::numeric_limits<A>::max();
  }
  template <class A>
  static A neutral(A) {
    return start<A>();
  }
  template <class V>
  ESPALIER_INLINE static V take(const V& acc, const V& x, const V&) {
    return join(acc, x);
  }
  template <class V>
  ESPALIER_INLINE static V join(const V& a, const V& b) {
    return ((b < a) | (b != b)) ? b : a;
  }
};

// Counts elements that are not zero: they are converted to bool before they are added.
struct Count : Sum {
  static constexpr bool kWide = false;
  template <class T>
  using Acc = int64_t;
  template <class T>
  using Out = int64_t;
};

constexpr int64_t kBlock = 32;       // vectors that an accumulator takes in before it is joined with others
constexpr int64_t kChunk = 1 << 15;  // elements that a thread should have at least
constexpr int64_t kMaxChunks = 32;   // that the reduction to one output is cut into

// The reduction of a piece of `x` in vectors. Offsets are from the first element.
template <class Op, class T>
class Reducer {
 public:
  using A = typename Op::template Acc<T>;
  using Out = typename Op::template Out<T>;
  using V = Vec<A>;
  static constexpr int L = kLanes<A>;
  static constexpr int Wide = Op::kWide && !std::is_integral_v<T> ? 4 : 1;  // vectors side by side
  static constexpr bool kLoads = !std::is_same_v<Op, Count>;                // elements are taken as they are
  static constexpr int kTile = 4 * L;  // columns that are reduced at a time where the lanes are kept

  explicit Reducer(const Reduction& r) : r_(r), x_(static_cast<const T*>(r.x)) {
    outer_ = r.lane_reduced ? r.reduced_rank : r.reduced_rank - 1;
    for (int i = 0; i < outer_; ++i) repeats_ *= r.reduced[i].size;
    for (int i = 0; i < r.kept_rank; ++i) kept_ *= r.kept[i].size;
    if (r.lane_reduced) rows_ = (r.lane.size + L - 1) / L, step_ = L * r.lane.x;
    else if (r.reduced_rank > 0) rows_ = r.reduced[outer_].size, step_ = r.reduced[outer_].x;
    blocks_ = (rows_ + kBlock - 1) / kBlock;
    pieces_ = repeats_ * blocks_;
    leaf_ = rows_ < kBlock ? kBlock / rows_ : 1;
    tiles_ = r.lane_reduced ? 1 : (r.lane.size + kTile - 1) / kTile;
    width_ = r.lane_reduced ? 1 : kTile;
  }

  void run() {
    int64_t tasks = kept_ * tiles_,
            work = repeats_ * rows_ * (r_.lane_reduced ? L : min(kTile, r_.lane.size));
    int64_t chunks = tasks >= kMaxChunks ? 1 : min(min(kMaxChunks, pieces_), work / kChunk + 1);
    auto* sums = static_cast<A*>(allocate(static_cast<size_t>(tasks * chunks * width_) * sizeof(A)));
    int64_t grain = max(1, kChunk * chunks / max(work, 1));
    parallel_for(tasks * chunks, grain, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t c = i % chunks;
        task(i / chunks, pieces_ * c / chunks, pieces_ * (c + 1) / chunks, sums + i * width_);
      }
    });
    for (int64_t t = 0; t < tasks; ++t) {
      A* sum = sums + t * chunks * width_;
      join(sum, chunks);
      write(t, sum);
    }
    deallocate(sums, static_cast<size_t>(tasks * chunks * width_) * sizeof(A));
  }

 private:
  static int64_t min(int64_t a, int64_t b) { return a < b ? a : b; }
  static int64_t max(int64_t a, int64_t b) { return a > b ? a : b; }

  // Where the outputs of a task begin.
  Reduction::Loop place(int64_t task) const {
    int64_t tile = task % tiles_, rest = task / tiles_;
    Reduction::Loop at = {0, tile * kTile * r_.lane.x, tile * kTile * r_.lane.out,
                          tile * kTile * r_.lane.center};
    at.size = r_.lane_reduced ? 1 : min(kTile, r_.lane.size - tile * kTile);
    for (int d = r_.kept_rank - 1; d >= 0; --d) {
      int64_t i = rest % r_.kept[d].size;
      rest /= r_.kept[d].size;
      at.x += i * r_.kept[d].x;
      at.out += i * r_.kept[d].out;
      at.center += i * r_.kept[d].center;
    }
    return at;
  }

  A center(int64_t at) const {
    if constexpr (std::is_integral_v<A>) return 0;
    else return r_.center ? static_cast<A>(static_cast<const T*>(r_.center)[at]) : A(0);
  }

  // The pieces [first, last) of a task's reduction into sums[0 .. outputs).
  void task(int64_t task, int64_t first, int64_t last, A* sums) const {
    Reduction::Loop at = place(task);
    if (r_.lane_reduced) {
      V acc, c = broadcast<A>(center(at.center));
      columns<1>(at.x, L, first, last, &c, &acc);
      for (int half = L / 2; half > 0; half /= 2) {
        for (int i = 0; i < half; ++i) acc[i] = Op::template join<A>(acc[i], acc[i + half]);
      }
      sums[0] = acc[0];
      return;
    }
    bool dense = r_.lane.x == 1 && kLoads;
    for (int64_t done = 0; done < at.size;) {
      if (Wide > 1 && dense && at.size - done >= Wide * L) done += tile<Wide>(at, done, first, last, sums);
      else done += tile<1>(at, done, first, last, sums);
    }
  }

  template <int W>
  int64_t tile(const Reduction::Loop& at, int64_t done, int64_t first, int64_t last, A* sums) const {
    int64_t count = min(W * L, at.size - done);
    V acc[W], c[W] = {};
    for (int64_t i = 0; i < count && r_.center; ++i)
      c[i / L][i % L] = center(at.center + (done + i) * r_.lane.center);
    columns<W>(at.x + done * r_.lane.x, count, first, last, c, acc);
    __builtin_memcpy(sums + done, acc, static_cast<size_t>(count) * sizeof(A));
    return count;
  }

  // Pair by pair.
  template <int W>
  [[gnu::noinline]] void columns(int64_t at, int64_t count, int64_t first, int64_t last, const V* c,
                                 V* acc) const {
    if (last - first > leaf_) {
      int64_t middle = first + (last - first) / 2;
      V right[W];
      columns<W>(at, count, first, middle, c, acc);
      columns<W>(at, count, middle, last, c, right);
      for (int w = 0; w < W; ++w) acc[w] = Op::join(acc[w], right[w]);
      return;
    }
    for (int w = 0; w < W; ++w) acc[w] = broadcast<A>(Op::template start<A>());
    for (int64_t i = first; i < last; ++i) {
      int64_t row = i % blocks_ * kBlock, rest = i / blocks_, from = at + row * step_;
      for (int d = outer_ - 1; d >= 0; --d) {
        from += rest % r_.reduced[d].size * r_.reduced[d].x;
        rest /= r_.reduced[d].size;
      }
      piece<W>(x_ + from, count, row, min(kBlock, rows_ - row), c, acc);
    }
  }

  template <int W>
  void piece(const T* p, int64_t count, int64_t row, int64_t n, const V* c, V* acc) const {
    int64_t tail = r_.lane_reduced && row + n == rows_ ? r_.lane.size % L : 0;  // of the last row of a line
    if (tail) --n;
    bool dense = count == W * L && r_.lane.x == 1;
    if constexpr (kLoads) {
      if (dense) rows<W>(p, n, c, acc);
    }
    if (!dense || !kLoads) partial(p, count, n, c, acc);
    if (tail) partial(p + n * step_, tail, 1, c, acc);
  }

  // `n` rows of W vectors without gaps; four accumulators, whatever W is.
  template <int W>
  void rows(const T* p, int64_t n, const V* c, V* acc) const {
    constexpr int U = 4 / W;
    V a[U][W];
    for (int u = 0; u < U; ++u) {
      for (int w = 0; w < W; ++w) a[u][w] = u == 0 ? acc[w] : broadcast<A>(Op::template start<A>());
    }
    int64_t i = 0;
    for (; i + U <= n; i += U) {
      for (int u = 0; u < U; ++u) {
        for (int w = 0; w < W; ++w) a[u][w] = Op::take(a[u][w], load<A>(p + (i + u) * step_ + w * L), c[w]);
      }
    }
    for (; i < n; ++i) {
      for (int w = 0; w < W; ++w) a[0][w] = Op::take(a[0][w], load<A>(p + i * step_ + w * L), c[w]);
    }
    for (int w = 0; w < W; ++w) {
      acc[w] = a[0][w];
      for (int u = 1; u < U; ++u) acc[w] = Op::join(acc[w], a[u][w]);
    }
  }

  // `n` rows of up to a vector of elements, with gaps or not.
  [[gnu::noinline]] void partial(const T* p, int64_t count, int64_t n, const V* c, V* acc) const {
    A lanes[L];
    for (int i = 0; i < L; ++i) lanes[i] = Op::template neutral<A>(c[0][i]);
    for (int64_t row = 0; row < n; ++row) {
      const T* from = p + row * step_;
      for (int64_t i = 0; i < count; ++i) lanes[i] = element(from[i * r_.lane.x]);
      acc[0] = Op::take(acc[0], load<A>(lanes), c[0]);
    }
  }
  static A element(T x) {
    if constexpr (kLoads) return static_cast<A>(x);
    else return static_cast<Compute<T>>(x) != Compute<T>(0);
  }

  // Joins the chunks of a task, pair by pair, into the first.
  void join(A* sums, int64_t chunks) const {
    for (int64_t apart = 1; apart < chunks; apart *= 2) {
      for (int64_t i = 0; i + apart < chunks; i += 2 * apart) {
        for (int64_t k = 0; k < width_; ++k) {
          A& to = sums[i * width_ + k];
          to = Op::template join<A>(to, sums[(i + apart) * width_ + k]);
        }
      }
    }
  }

  void write(int64_t task, const A* sums) const {
    Reduction::Loop at = place(task);
    auto* out = static_cast<Out*>(r_.out) + at.out;
    for (int64_t i = 0; i < at.size; ++i) {
      A y = Op::template finish<A>(sums[i], center(at.center + i * r_.lane.center), r_);
      out[i * r_.lane.out] = static_cast<Out>(y);
    }
  }

  const Reduction& r_;
  const T* x_;
  int outer_;                       // reduced loops around the rows
  int64_t repeats_ = 1, kept_ = 1;  // how often those and the kept loops run
  int64_t rows_ = 1, step_ = 0;     // of vectors in a line of the innermost reduced loop
  int64_t blocks_, pieces_, leaf_;  // of rows in a line, in all, and how many are summed in sequence
  int64_t tiles_, width_;           // columns: tasks for them, and outputs of a task
};

template <class Op>
void reduce_any(const Reduction& r) {
  visit_dtype(r.dtype, [&]<class T>(T) { Reducer<Op, T>(r).run(); });
}
template <class Op>
void reduce_floating(const Reduction& r) {
  visit_floating(r.dtype, [&]<class T>(T) { Reducer<Op, T>(r).run(); });
}

ESPALIER_OFFER(reduce_sum, reduce_any<Sum>)
ESPALIER_OFFER(reduce_prod, reduce_any<Product>)
ESPALIER_OFFER(reduce_squares, reduce_floating<Squares>)
ESPALIER_OFFER(reduce_exp, reduce_floating<Exponentials>)
ESPALIER_OFFER(reduce_max, reduce_any<Max>)
ESPALIER_OFFER(reduce_min, reduce_any<Min>)
ESPALIER_OFFER(reduce_count, reduce_any<Count>)

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
