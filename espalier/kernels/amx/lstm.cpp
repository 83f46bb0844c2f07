#include <espalier/kernels/amx/split_matrix.h>
#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/simd/rnn_rows.h>

// A thread takes up to sixteen rows of the batch through all steps. What belongs to them stays in its caches:
// the split weights, what a step gives to the gates, and the gradient of the weights from these rows.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

void copy_row(float* to, const float* from, int64_t n) {
  __builtin_memcpy(to, from, static_cast<size_t>(n) * sizeof(float));
}

// Calls f(first row, rows) for pieces of the batch.
template <class F>
void each_piece(const SplitLstmJob& job, int64_t rows, F&& f) {
  parallel_for(job.batch, rows, [&](int64_t begin, int64_t end) {
    SerialScope serial;
    for (int64_t row = begin; row < end; row += rows) f(row, smaller(rows, end - row));
  });
}

void run(const SplitLstmJob& job) {
  Steps<float> steps{job};
  int64_t n = job.hidden;
  SplitMatrix of_x(static_cast<const float*>(job.weight_ih), 1, job.features, job.features, 4 * n);
  SplitMatrix of_h(static_cast<const float*>(job.weight_hh), 1, n, n, 4 * n);
  int64_t most = smaller(job.piece_rows(), share_of_thread(job.batch));
  each_piece(job, most, [&](int64_t first, int64_t rows) {
    Scratch<float> sums(rows * 4 * n);
    for (int64_t i = 0; i < job.steps; ++i) {
      int64_t t = steps.time(i);
      of_x.multiply(
          {rows, at<float>(job.x, t, first), job.x.row, sums, 4 * n, static_cast<const float*>(job.bias), 0});
      of_h.multiply(
          {rows, steps.before(job.y, job.h, i, first), steps.before_row(job.y, i), sums, 4 * n, sums, 4 * n});
      for (int64_t r = 0; r < rows; ++r) {
        lstm_row(n, sums + r * 4 * n, at<float>(job.gates, t, first + r),
                 steps.before(job.cells, job.c, i, first + r), at<float>(job.cells, t, first + r),
                 at<float>(job.y, t, first + r));
      }
    }
  });
}

// The gradient of [W_ih, W_hh] from a piece, in some products of many steps each.
class WeightGradient {
 public:
  WeightGradient(const SplitLstmJob& job, int64_t first, int64_t rows)
      : job_(job),
        first_(first),
        rows_(rows),
        width_(job.features + job.hidden),
        gates_(kDepth * 4 * job.hidden),
        inputs_(kDepth * width_),
        sums_(static_cast<float*>(job.weight_grads) + first / job.piece_rows() * 4 * job.hidden * width_) {}

  // Where the gradients of the next step's gates go.
  float* gates() { return gates_ + depth_ * 4 * job_.hidden; }
  // They are there.
  void add(int64_t i) {
    Steps<float> steps{job_};
    for (int64_t row = first_; row < first_ + rows_; ++row, ++depth_) {
      float* to = inputs_ + depth_ * width_;
      copy_row(to, at<float>(job_.x, steps.time(i), row), job_.features);
      copy_row(to + job_.features, steps.before(job_.y, job_.h, i, row), job_.hidden);
    }
    if (i == 0 || depth_ + rows_ > kDepth) multiply();
  }

 private:
  static constexpr int64_t kDepth = 128;

  void multiply() {
    gemm_bf16x3({.m = 4 * job_.hidden,
                 .n = width_,
                 .k = depth_,
                 .a = gates_,
                 .a_row = 1,
                 .a_col = 4 * job_.hidden,
                 .b = inputs_,
                 .b_row = width_,
                 .c = sums_,
                 .c_row = width_,
                 .accumulate = !fresh_});
    fresh_ = false, depth_ = 0;
  }

  const SplitLstmJob& job_;
  int64_t first_, rows_, width_;
  Scratch<float> gates_, inputs_;
  float* sums_;
  int64_t depth_ = 0;
  bool fresh_ = true;
};

void run_backward(const SplitLstmJob& job) {
  Steps<float> steps{job};
  int64_t n = job.hidden, features = job.x_grad.data ? job.features : 0;
  SplitMatrix to_h(static_cast<const float*>(job.weight_hh), n, 1, 4 * n, n);
  SplitMatrix to_x(static_cast<const float*>(job.weight_ih), features, 1, 4 * n, features);
  each_piece(job, job.piece_rows(), [&](int64_t first, int64_t rows) {
    float* gh = static_cast<float*>(job.g_first_h) + first * n;
    float* gc = static_cast<float*>(job.g_c) + first * n;
    float* bias = static_cast<float*>(job.g_bias_x) + first * 4 * n;
    clear(gh, 0, rows * n), clear(bias, 0, rows * 4 * n);
    WeightGradient weight(job, first, rows);
    for (int64_t i = job.steps - 1; i >= 0; --i) {
      int64_t t = steps.time(i);
      float* g = weight.gates();
      for (int64_t r = 0; r < rows; ++r) {
        int64_t row = first + r;
        lstm_row_backward(n, at<float>(job.gates, t, row), steps.before(job.cells, job.c, i, row),
                          at<float>(job.cells, t, row), at<float>(job.g_y, t, row), gh + r * n, gc + r * n,
                          g + r * 4 * n, bias + r * 4 * n);
      }
      to_h.multiply({rows, g, 4 * n, gh, n});
      if (features) to_x.multiply({rows, g, 4 * n, at<float>(job.x_grad, t, first), job.x_grad.row});
      weight.add(i);
    }
  });
}

}  // namespace

ESPALIER_OFFER(split_lstm_steps, run)
ESPALIER_OFFER(split_lstm_steps_backward, run_backward)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
