#include <espalier/kernels/rnn.h>

#include <atomic>

#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/matmul.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/transposed.h>

namespace espalier::kernels {
namespace {

std::atomic<bool> enabled{true};

int64_t steps_of(const RnnInputs& in) { return in.x.shape[in.batch_first ? 1 : 0]; }
int64_t batch_of(const RnnInputs& in) { return in.h.shape[0]; }
int64_t hidden_of(const RnnInputs& in) { return in.h.shape[1]; }

// `width` values for every step and row, in the layout of x.
Array over_time(const RnnInputs& in, int64_t width) {
  return Array::empty({in.x.shape[0], in.x.shape[1], width}, in.x.dtype);
}

Sequence sequence(const RnnInputs& in, const Array& a, int64_t width) {
  int64_t steps = steps_of(in), batch = batch_of(in);
  return in.batch_first ? Sequence{a.data(), width, steps * width} : Sequence{a.data(), batch * width, width};
}
// `width` values for every row; for every step only if they are saved.
Array room(const RnnInputs& in, int64_t width, bool saved) {
  return saved ? over_time(in, width) : Array::empty({batch_of(in), width}, in.x.dtype);
}
Sequence sequence(const RnnInputs& in, const Array& a) {
  int64_t width = a.shape.back();
  return a.rank() == 2 ? Sequence{a.data(), 0, width} : sequence(in, a, width);
}

Array matrix(const Array& a) {  // [rows, columns]
  int64_t columns = a.shape.back();
  return a.view({a.numel() / columns, columns}, {columns, 1}, a.offset);
}
Array sum_of(const Array& a, const Array& b) {
  Array y = Array::empty_like(a);
  elementwise(add, compute_type(a.dtype), y, {a, b});
  return y;
}

// The parts of `y`: h of every step, and for LSTM the last c.
Array steps_part(const RnnInputs& in, const Array& y) {
  Shape shape{in.x.shape[0], in.x.shape[1], hidden_of(in)};
  return y.view(shape, contiguous_strides(shape), y.offset);
}
Array state_part(const RnnInputs& in, const Array& y) {
  return y.view(in.h.shape, contiguous_strides(in.h.shape), y.offset + steps_of(in) * in.h.numel());
}

RnnJob job_of(const RnnInputs& in) {
  return {.dtype = in.x.dtype,
          .steps = steps_of(in),
          .batch = batch_of(in),
          .hidden = hidden_of(in),
          .reverse = in.reverse,
          .weight_hh = in.weight_hh.data(),
          .h = in.h.data()};
}

// Steps from … to of an array over time.
Array part(const RnnInputs& in, const Array& a, int64_t from, int64_t to) {
  int dim = in.batch_first ? 1 : 0;
  Array p = a;
  p.offset += from * a.strides[dim];
  p.shape[dim] = to - from;
  return p;
}

// The h before every step, at the place of the step.
Array states_before(const RnnInputs& in, const Array& y) {
  Array out = over_time(in, hidden_of(in)), all = steps_part(in, y);
  int64_t steps = steps_of(in), at = in.reverse ? steps - 1 : 0;
  Array first = part(in, out, at, at + 1), others = part(in, out, in.reverse ? 0 : 1, steps - in.reverse);
  Shape strides{hidden_of(in), 1};
  strides.insert(in.batch_first ? 1 : 0, 0);
  copy(first, in.h.view(first.shape, strides, in.h.offset));
  copy(others, part(in, all, in.reverse ? 1 : 0, steps - !in.reverse));
  return out;
}

// gᵀ · x, the gradient of a weight from those of its product with x.
Array weight_gradient(const Array& g, const Array& x) {
  Array rows = matrix(g), out = Array::empty({rows.shape[1], x.shape.back()}, x.dtype);
  matmul(out, transposed(rows), matrix(x));
  return out;
}

Array bias_gradient(const Array& rows) {
  Array out = Array::empty({1, rows.shape[1]}, rows.dtype);
  sum(out, rows);
  return out.view({rows.shape[1]}, {1}, out.offset);
}

// What follows from the gradients of W_ih x and W_hh h (the same array for LSTM).
void finish(RnnGrads& grads, const RnnInputs& in, const Array& g_x, const Array& g_h, const Array& y,
            bool to_x) {
  grads.weight_ih = weight_gradient(g_x, in.x);
  grads.weight_hh = weight_gradient(g_h, states_before(in, y));
  if (!to_x) return;
  grads.x = Array::empty(in.x.shape, in.x.dtype);
  Array rows = matrix(grads.x);
  matmul(rows, matrix(g_x), in.weight_ih);
}

// Whether an LSTM's weights, split, and their gradient from a piece stay in a thread's second cache.
bool split_pays(const RnnInputs& in) {
  constexpr int64_t kFewRows = 24, kFewHidden = 32, kFewSteps = 24, kMostWeights = 192 << 10;
  int64_t hidden = hidden_of(in), weights = 4 * hidden * (in.x.shape.back() + hidden);
  return bf16x3() && in.x.dtype == DType::float32 && batch_of(in) >= kFewRows && hidden >= kFewHidden &&
         steps_of(in) >= kFewSteps && weights <= kMostWeights;
}

SplitLstmJob split_job(const RnnInputs& in, const RnnJob& job) {
  SplitLstmJob split{job, in.x.shape.back()};
  split.x = sequence(in, in.x), split.weight_ih = in.weight_ih.data();
  return split;
}

// All gradients but those of the biases.
void split_backward(RnnGrads& grads, const RnnInputs& in, const RnnJob& job, bool to_x) {
  SplitLstmJob split = split_job(in, job);
  if (to_x) grads.x = Array::empty(in.x.shape, in.x.dtype), split.x_grad = sequence(in, grads.x);
  int64_t pieces = split.pieces(), rows = 4 * split.hidden, width = split.features + split.hidden;
  Array weights = Array::empty({pieces, rows, width}, in.x.dtype);
  split.weight_grads = weights.data();
  split_lstm_steps_backward(split);
  auto sum_of_columns = [&](int64_t from, int64_t count) {
    Array out = Array::empty({1, rows, count}, in.x.dtype);
    sum(out, weights.view({pieces, rows, count}, weights.strides, weights.offset + from));
    return out.view({rows, count}, {count, 1}, out.offset);
  };
  grads.weight_ih = sum_of_columns(0, split.features);
  grads.weight_hh = sum_of_columns(split.features, split.hidden);
}

// W_ih x + bias for every step.
void from_input(Array& out, const RnnInputs& in, const Array* bias) {
  Array rows = matrix(out);
  matmul(rows, matrix(in.x), transposed(in.weight_ih), bias);
}

}  // namespace

void set_fused_rnn(bool on) { enabled.store(on, std::memory_order_relaxed); }
bool fused_rnn() { return enabled.load(std::memory_order_relaxed); }

Array lstm(const RnnInputs& in, RnnSaved* saved) {
  int64_t hidden = hidden_of(in), last = in.reverse ? 0 : steps_of(in) - 1;
  Array y = Array::empty({(steps_of(in) + 1) * in.h.numel()}, in.x.dtype);
  if (nothing_to_do(y)) return y;
  Array c = state_part(in, y), gates = room(in, 4 * hidden, saved),
        cells = saved ? room(in, hidden, true) : c;
  RnnJob job = job_of(in);
  job.gates = sequence(in, gates), job.cells = sequence(in, cells);
  job.y = sequence(in, y, hidden), job.c = in.c.data();
  Array both = in.bias_ih && in.bias_hh ? sum_of(*in.bias_ih, *in.bias_hh) : Array();
  const Array* bias = both.storage ? &both : in.bias_ih ? in.bias_ih : in.bias_hh;
  if (split_pays(in)) {
    SplitLstmJob split = split_job(in, job);
    split.bias = bias ? bias->data() : nullptr;
    split_lstm_steps(split);
  } else {
    Array from_x = saved ? gates : over_time(in, 4 * hidden);
    from_input(from_x, in, bias);
    job.from_x = sequence(in, from_x);
    lstm_steps(job);
  }
  if (!saved) return y;
  *saved = {gates, cells};
  copy(c, cells.view(c.shape, {job.cells.row, 1}, part(in, cells, last, last + 1).offset));
  return y;
}

RnnGrads lstm_backward(const RnnInputs& in, const RnnSaved& saved, const Array& y, const Array& g,
                       bool to_x) {
  RnnGrads grads{.h = Array::empty_like(in.h), .c = Array::empty_like(in.h)};
  copy(grads.c, state_part(in, g));
  RnnJob job = job_of(in);
  job.gates = sequence(in, saved.gates), job.cells = sequence(in, saved.cells);
  job.c = in.c.data(), job.g_y = sequence(in, g, hidden_of(in));
  job.g_first_h = grads.h.data(), job.g_c = grads.c.data();
  Array bias = Array::empty({batch_of(in), 4 * hidden_of(in)}, in.x.dtype);
  job.g_bias_x = bias.data();
  if (split_pays(in)) {
    job.y = sequence(in, y, hidden_of(in));
    split_backward(grads, in, job, to_x);
  } else {
    Array g_gates = over_time(in, 4 * hidden_of(in));
    job.g_x = sequence(in, g_gates);
    lstm_steps_backward(job);
    finish(grads, in, g_gates, g_gates, y, to_x);
  }
  if (in.bias_ih || in.bias_hh) grads.bias_ih = grads.bias_hh = bias_gradient(bias);
  return grads;
}

Array gru(const RnnInputs& in, RnnSaved* saved) {
  int64_t hidden = hidden_of(in);
  Array y = Array::empty({steps_of(in) * in.h.numel()}, in.x.dtype);
  if (nothing_to_do(y)) return y;
  Array gates = room(in, 4 * hidden, saved), from_x = over_time(in, 3 * hidden);
  from_input(from_x, in, in.bias_ih);
  RnnJob job = job_of(in);
  if (in.bias_hh) job.bias_hh = in.bias_hh->data();
  job.from_x = sequence(in, from_x), job.gates = sequence(in, gates);
  job.y = sequence(in, y, hidden);
  gru_steps(job);
  if (saved) saved->gates = gates;
  return y;
}

RnnGrads gru_backward(const RnnInputs& in, const RnnSaved& saved, const Array& y, const Array& g, bool to_x) {
  RnnGrads grads{.h = Array::empty_like(in.h)};
  Array g_x = over_time(in, 3 * hidden_of(in)), g_h = Array::empty_like(g_x);
  RnnJob job = job_of(in);
  job.gates = sequence(in, saved.gates), job.y = sequence(in, y, hidden_of(in));
  job.g_y = sequence(in, g, hidden_of(in)), job.g_x = sequence(in, g_x), job.g_h = sequence(in, g_h);
  job.g_first_h = grads.h.data();
  Array bias_x = Array::empty({batch_of(in), 3 * hidden_of(in)}, in.x.dtype);
  Array bias_h = Array::empty_like(bias_x);
  job.g_bias_x = bias_x.data(), job.g_bias_h = bias_h.data();
  gru_steps_backward(job);
  grads.bias_ih = bias_gradient(bias_x), grads.bias_hh = bias_gradient(bias_h);
  finish(grads, in, g_x, g_h, y, to_x);
  return grads;
}

}  // namespace espalier::kernels
