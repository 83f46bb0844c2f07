#include <espalier/kernels/rnn.h>

#include <espalier/core/threads.h>
#include <espalier/kernels/simd/rnn_rows.h>
#include <espalier/kernels/simd/rows_by_matrix.h>

// A thread takes some rows of the batch through all steps, with the weights packed once in its cache: steps
// need no barrier.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Calls f(first row, last row) for pieces of the batch that are worth a thread, one for each.
template <class F>
void share(const RnnJob& job, F&& f) {
  int64_t work = job.steps * job.hidden * job.hidden, least = 1 + 20000 / work;
  int64_t each = share_of_thread(job.batch);
  parallel_for(job.batch, each > least ? each : least, f);
}

template <class T>
void run_lstm(const RnnJob& job) {
  Steps<T> steps{job};
  int64_t n = job.hidden;
  Matrix<T> weight(n, 4 * n);
  weight.pack(static_cast<const T*>(job.weight_hh), 1, n);
  share(job, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < job.steps; ++i) {
      int64_t t = steps.time(i);
      weight.multiply(end - begin, steps.before(job.y, job.h, i, begin), steps.before_row(job.y, i),
                      at<T>(job.from_x, t, begin), job.from_x.row, true);
      for (int64_t row = begin; row < end; ++row) {
        lstm_row(n, at<T>(job.from_x, t, row), at<T>(job.gates, t, row),
                 steps.before(job.cells, job.c, i, row), at<T>(job.cells, t, row), at<T>(job.y, t, row));
      }
    }
  });
}

template <class T>
void run_lstm_backward(const RnnJob& job) {
  Steps<T> steps{job};
  int64_t n = job.hidden;
  Matrix<T> weight(4 * n, n);
  weight.pack(static_cast<const T*>(job.weight_hh), n, 1);
  share(job, [&](int64_t begin, int64_t end) {
    T *gh = static_cast<T*>(job.g_first_h), *gc = static_cast<T*>(job.g_c);
    T* bias = static_cast<T*>(job.g_bias_x);
    clear(gh, begin * n, end * n), clear(bias, begin * 4 * n, end * 4 * n);
    for (int64_t i = job.steps - 1; i >= 0; --i) {
      int64_t t = steps.time(i);
      for (int64_t row = begin; row < end; ++row) {
        lstm_row_backward(n, at<T>(job.gates, t, row), steps.before(job.cells, job.c, i, row),
                          at<T>(job.cells, t, row), at<T>(job.g_y, t, row), gh + row * n, gc + row * n,
                          at<T>(job.g_x, t, row), bias + row * 4 * n);
      }
      weight.multiply(end - begin, at<T>(job.g_x, t, begin), job.g_x.row, gh + begin * n, n, false);
    }
  });
}

template <class T>
void run_gru(const RnnJob& job) {
  Steps<T> steps{job};
  int64_t n = job.hidden;
  Matrix<T> weight(n, 3 * n);
  weight.pack(static_cast<const T*>(job.weight_hh), 1, n);
  auto* bias = static_cast<const T*>(job.bias_hh);
  share(job, [&](int64_t begin, int64_t end) {
    Scratch<T> from_h((end - begin) * 3 * n);
    for (int64_t i = 0; i < job.steps; ++i) {
      int64_t t = steps.time(i);
      for (int64_t row = 0; bias && row < end - begin; ++row) {
        __builtin_memcpy(from_h + row * 3 * n, bias, static_cast<size_t>(3 * n) * sizeof(T));
      }
      weight.multiply(end - begin, steps.before(job.y, job.h, i, begin), steps.before_row(job.y, i), from_h,
                      3 * n, bias != nullptr);
      for (int64_t row = begin; row < end; ++row) {
        gru_row(n, at<T>(job.from_x, t, row), from_h + (row - begin) * 3 * n,
                steps.before(job.y, job.h, i, row), at<T>(job.gates, t, row), at<T>(job.y, t, row));
      }
    }
  });
}

template <class T>
void run_gru_backward(const RnnJob& job) {
  Steps<T> steps{job};
  int64_t n = job.hidden;
  Matrix<T> weight(3 * n, n);
  weight.pack(static_cast<const T*>(job.weight_hh), n, 1);
  share(job, [&](int64_t begin, int64_t end) {
    T* gh = static_cast<T*>(job.g_first_h);
    T *bias_x = static_cast<T*>(job.g_bias_x), *bias_h = static_cast<T*>(job.g_bias_h);
    clear(gh, begin * n, end * n);
    clear(bias_x, begin * 3 * n, end * 3 * n), clear(bias_h, begin * 3 * n, end * 3 * n);
    for (int64_t i = job.steps - 1; i >= 0; --i) {
      int64_t t = steps.time(i);
      for (int64_t row = begin; row < end; ++row) {
        gru_row_backward(n, at<T>(job.gates, t, row), steps.before(job.y, job.h, i, row),
                         at<T>(job.g_y, t, row), gh + row * n, at<T>(job.g_x, t, row), at<T>(job.g_h, t, row),
                         bias_x + row * 3 * n, bias_h + row * 3 * n);
      }
      weight.multiply(end - begin, at<T>(job.g_h, t, begin), job.g_h.row, gh + begin * n, n, true);
    }
  });
}

// The functions for both types.
template <void (*Float)(const RnnJob&), void (*Double)(const RnnJob&)>
void either(const RnnJob& job) {
  if (job.dtype == DType::float64) Double(job);
  else Float(job);
}

}  // namespace

ESPALIER_OFFER(lstm_steps, (either<run_lstm<float>, run_lstm<double>>))
ESPALIER_OFFER(lstm_steps_backward, (either<run_lstm_backward<float>, run_lstm_backward<double>>))
ESPALIER_OFFER(gru_steps, (either<run_gru<float>, run_gru<double>>))
ESPALIER_OFFER(gru_steps_backward, (either<run_gru_backward<float>, run_gru_backward<double>>))

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
