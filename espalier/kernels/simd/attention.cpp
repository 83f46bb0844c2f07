#include <espalier/kernels/attention.h>

#include <cmath>

#include <espalier/core/threads.h>
#include <espalier/kernels/simd/rows_by_matrix.h>

// A thread takes whole heads, and in each some queries at a time, whose scores stay in its cache. The scores
// of a query lie in full vectors, filled up with -infinity (their weights are 0).
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

template <class T>
constexpr T kNever = -std::numeric_limits<T>::infinity();

template <class T>
T largest(const Vec<T>& v) {
  T most = v[0];
  for (int i = 1; i < kLanes<T>; ++i) most = v[i] > most ? v[i] : most;
  return most;
}

// The sum of the lanes, pair by pair.
template <class T>
T total(const Vec<T>& v) {
  T lanes[kLanes<T>];
  __builtin_memcpy(lanes, &v, sizeof lanes);
  for (int half = kLanes<T> / 2; half > 0; half /= 2) {
    for (int i = 0; i < half; ++i) lanes[i] += lanes[i + half];
  }
  return lanes[0];
}

template <class T>
class Worker {
 public:
  explicit Worker(const AttentionJob& job)
      : job_(job),
        stride_((job.keys + L - 1) / L * L),
        block_(block_of(job)),
        keys_(job.features, job.keys),
        values_(job.keys, job.value_features),
        scores_(block_ * stride_) {}

  void forward(int64_t number) {
    keys_.pack(at(job_.key, number, 0), 1, job_.key.row);
    values_.pack(at(job_.value, number, 0), job_.value.row, 1);
    for (int64_t first = 0; first < job_.queries; first += block_) {
      int64_t rows = rows_from(first);
      score(number, first, rows);
      for (int64_t i = 0; i < rows; ++i) divisors_[i] = softmax(scores_ + i * stride_, number, first + i);
      T* y = at(job_.y, number, first);
      values_.multiply(rows, scores_, stride_, y, job_.y.row, false);
      for (int64_t i = 0; i < rows; ++i) {
        for (int64_t j = 0; j < job_.value_features; ++j) y[i * job_.y.row + j] *= divisors_[i];
      }
    }
  }

 protected:
  static constexpr int64_t L = kLanes<T>, kMostRows = 128;

  static int64_t block_of(const AttentionJob& job) {
    int64_t fit = (1 << 15) / (job.keys + 1), rows = fit < 16 ? 16 : fit > kMostRows ? kMostRows : fit;
    return rows < job.queries ? rows : job.queries;
  }
  int64_t rows_from(int64_t first) const {
    return first + block_ < job_.queries ? block_ : job_.queries - first;
  }
  T* at(const Heads& h, int64_t number, int64_t row) const {
    return static_cast<T*>(h.data) + number / job_.heads * h.batch + number % job_.heads * h.head +
           row * h.row;
  }
  T& log_sum(int64_t number, int64_t row) const {
    return static_cast<T*>(job_.log_sum)[number * job_.queries + row];
  }

  // scores of `rows` queries, scaled and masked
  void score(int64_t number, int64_t first, int64_t rows) {
    keys_.multiply(rows, at(job_.query, number, first), job_.query.row, scores_, stride_, false);
    auto scale = static_cast<T>(job_.scale);
    for (int64_t i = 0; i < rows; ++i) {
      T* s = scores_ + i * stride_;
      for (int64_t j = 0; j < job_.keys; ++j) s[j] *= scale;
      if (job_.mask.data) add_mask(s, at(job_.mask, number, first + i));
      int64_t seen = job_.causal && first + i + 1 < job_.keys ? first + i + 1 : job_.keys;
      for (int64_t j = seen; j < stride_; ++j) s[j] = kNever<T>;
    }
  }
  void add_mask(T* s, const T* mask) const {
    for (int64_t j = 0; job_.mask_step == 1 && j < job_.keys; ++j) s[j] += mask[j];
    for (int64_t j = 0; job_.mask_step != 1 && j < job_.keys; ++j) s[j] += mask[j * job_.mask_step];
  }

  // e^(s - largest) in place; gives what they are to be multiplied by.
  T softmax(T* s, int64_t number, int64_t row) {
    Vec<T> most = load<T>(s), sum = {};
    for (int64_t j = L; j < stride_; j += L) {
      Vec<T> x = load<T>(s + j);
      most = x > most ? x : most;
    }
    T top = largest<T>(most), shift = top == kNever<T> ? T(0) : top;
    for (int64_t j = 0; j < stride_; j += L) {
      Vec<T> e = exp<T>(load<T>(s + j) - shift);
      store<T, T>(s + j, e);
      sum += e;
    }
    T divisor = total<T>(sum);
    bool none = top == kNever<T>;
    log_sum(number, row) = none ? -kNever<T> : shift + std::log(divisor);
    return none ? T(0) : 1 / divisor;
  }

  const AttentionJob& job_;
  int64_t stride_, block_;
  Matrix<T> keys_, values_;  // keyᵀ, value
  Scratch<T> scores_;
  T divisors_[kMostRows];
};

template <class T>
class BackwardWorker : Worker<T> {
  using Base = Worker<T>;
  using Base::at, Base::block_, Base::job_, Base::scores_, Base::stride_, Base::L;

 public:
  explicit BackwardWorker(const AttentionJob& job)
      : Base(job),
        values_(job.value_features, job.keys),
        keys_(job.keys, job.features),
        queries_(block_, job.features),
        g_(block_, job.value_features),
        g_scores_(block_ * stride_) {}

  void run(int64_t number) {
    Base::keys_.pack(at(job_.key, number, 0), 1, job_.key.row);
    values_.pack(at(job_.value, number, 0), 1, job_.value.row);
    keys_.pack(at(job_.key, number, 0), job_.key.row, 1);
    for (int64_t first = 0; first < job_.queries; first += block_) {
      int64_t rows = Base::rows_from(first);
      const T* g = at(job_.g, number, first);
      Base::score(number, first, rows);
      values_.multiply(rows, g, job_.g.row, g_scores_, stride_, false);
      for (int64_t i = 0; i < rows; ++i) {
        through_softmax(i, number, first + i);
      }
      keys_.multiply(rows, g_scores_, stride_, at(job_.g_query, number, first), job_.g_query.row, false);
      g_.pack(g, job_.g.row, 1, rows);
      g_.multiply_transposed(job_.keys, scores_, stride_, at(job_.g_value, number, 0), job_.g_value.row,
                             first > 0);
      queries_.pack(at(job_.query, number, first), job_.query.row, 1, rows);
      queries_.multiply_transposed(job_.keys, g_scores_, stride_, at(job_.g_key, number, 0), job_.g_key.row,
                                   first > 0);
    }
  }

 private:
  // Row i of the scores becomes weights, and that of their gradients gradients of the products.
  void through_softmax(int64_t i, int64_t number, int64_t row) {
    const T *g = at(job_.g, number, row), *y = at(job_.y, number, row);
    T *s = scores_ + i * stride_, *gs = g_scores_ + i * stride_;
    T log_sum = Base::log_sum(number, row), scale = static_cast<T>(job_.scale);
    T mean = dot(g, y);
    for (int64_t j = job_.keys; j < stride_; ++j) gs[j] = 0;
    for (int64_t j = 0; j < stride_; j += L) {
      Vec<T> weight = exp<T>(load<T>(s + j) - log_sum);
      store<T, T>(s + j, weight);
      store<T, T>(gs + j, weight * (load<T>(gs + j) - mean) * scale);
    }
  }
  T dot(const T* a, const T* b) const {
    Vec<T> sum = {};
    int64_t n = job_.value_features, j = 0;
    for (; j + L <= n; j += L) sum += load<T>(a + j) * load<T>(b + j);
    if (j < n) sum += load<T>(a + j, n - j, T(0)) * load<T>(b + j, n - j, T(0));
    return total<T>(sum);
  }

  Matrix<T> values_, keys_, queries_, g_;  // valueᵀ, key, the queries and gradients of a block
  Scratch<T> g_scores_;
};

int64_t work(const AttentionJob& job) { return job.queries * job.keys * (job.features + job.value_features); }

template <class T>
void run_forward(const AttentionJob& job) {
  parallel_for(job.batch * job.heads, 1 + 40000 / work(job), [&](int64_t begin, int64_t end) {
    Worker<T> worker(job);
    for (int64_t i = begin; i < end; ++i) worker.forward(i);
  });
}
template <class T>
void run_backward(const AttentionJob& job) {
  parallel_for(job.batch * job.heads, 1 + 20000 / work(job), [&](int64_t begin, int64_t end) {
    BackwardWorker<T> worker(job);
    for (int64_t i = begin; i < end; ++i) worker.run(i);
  });
}

void forward(const AttentionJob& job) {
  if (job.dtype == DType::float64) run_forward<double>(job);
  else run_forward<float>(job);
}
void backward(const AttentionJob& job) {
  if (job.dtype == DType::float64) run_backward<double>(job);
  else run_backward<float>(job);
}

}  // namespace

ESPALIER_OFFER(attention_heads, forward)
ESPALIER_OFFER(attention_heads_backward, backward)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
