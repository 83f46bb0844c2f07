#include <espalier/ops/rnn.h>

#include <algorithm>
#include <cmath>

#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>
#include "op_case.h"

namespace espalier::test {
namespace {

using Values = std::vector<double>;

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// w · x + b for one row.
Values affine(const Plain& w, const double* x, const Plain* b) {
  int64_t rows = w.shape[0], cols = w.shape[1];
  Values y(rows);
  for (int64_t i = 0; i < rows; ++i) {
    y[i] = b ? b->v[i] : 0;
    for (int64_t j = 0; j < cols; ++j) y[i] += w.v[i * cols + j] * x[j];
  }
  return y;
}

// A step of one row: the next h (and c) from what input and state give to the gates.
using Step = void (*)(const Values& x, const Values& h, double* state, double* c);

void lstm_step(const Values& x, const Values& h, double* state, double* c) {
  size_t n = x.size() / 4;
  for (size_t j = 0; j < n; ++j) {
    auto gate = [&](size_t g) { return x[g * n + j] + h[g * n + j]; };
    c[j] = sigmoid(gate(1)) * c[j] + sigmoid(gate(0)) * std::tanh(gate(2));
    state[j] = sigmoid(gate(3)) * std::tanh(c[j]);
  }
}

void gru_step(const Values& x, const Values& h, double* state, double*) {
  size_t n = x.size() / 3;
  for (size_t j = 0; j < n; ++j) {
    double r = sigmoid(x[j] + h[j]), z = sigmoid(x[n + j] + h[n + j]);
    double m = std::tanh(x[2 * n + j] + r * h[2 * n + j]);
    state[j] = (1 - z) * m + z * state[j];
  }
}

// in: x [N, T, I] or [T, N, I], h, c, weight_ih, weight_hh and perhaps the biases (h stands for c of a GRU).
// The h of every step, and the last c if asked, one after the other.
Plain run(const std::vector<Plain>& in, Step step, const RnnOptions& o, bool with_c) {
  Plain x = in[0], h = in[1], c = in[2], out;
  int64_t n = h.shape[0], hidden = h.shape[1], steps = x.shape[o.batch_first ? 1 : 0], features = x.shape[2];
  out.v.resize(steps * n * hidden);
  const Plain *b_ih = in.size() > 5 ? &in[5] : nullptr, *b_hh = in.size() > 6 ? &in[6] : nullptr;
  for (int64_t i = 0; i < steps; ++i) {
    int64_t t = o.reverse ? steps - 1 - i : i;
    for (int64_t row = 0; row < n; ++row) {
      int64_t at = o.batch_first ? row * steps + t : t * n + row;
      double* state = h.v.data() + row * hidden;
      step(affine(in[3], x.v.data() + at * features, b_ih), affine(in[4], state, b_hh), state,
           c.v.data() + row * hidden);
      std::copy(state, state + hidden, out.v.data() + at * hidden);
    }
  }
  if (with_c) out.v.insert(out.v.end(), c.v.begin(), c.v.end());
  out.shape = {static_cast<int64_t>(out.v.size())};
  return out;
}

RnnWeights weights(const Args& a) {
  return {a[3], a[4], a.size() > 5 ? a[5] : Tensor(), a.size() > 6 ? a[6] : Tensor()};
}

// Everything that a layer gives, of which the last h is a part.
template <bool BatchFirst, bool Reverse>
Tensor run_lstm(const Args& a) {
  auto [y, state] = lstm(a[0], {a[1], a[2]}, weights(a), {.batch_first = BatchFirst, .reverse = Reverse});
  return cat({y.flatten(), state.second.flatten()});
}
template <bool BatchFirst, bool Reverse>
Tensor run_gru(const Args& a) {
  auto [y, h] = gru(a[0], a[1], weights(a), {.batch_first = BatchFirst, .reverse = Reverse});
  return y.flatten();
}
template <bool BatchFirst, bool Reverse>
Plain plain_lstm(const std::vector<Plain>& in) {
  return run(in, lstm_step, {.batch_first = BatchFirst, .reverse = Reverse}, true);
}
template <bool BatchFirst, bool Reverse>
Plain plain_gru(const std::vector<Plain>& in) {
  return run(in, gru_step, {.batch_first = BatchFirst, .reverse = Reverse}, false);
}

std::vector<In> sizes(int64_t gates, const Shape& x, int64_t n, int64_t hidden, int biases) {
  std::vector<In> in{{x}, {{n, hidden}}, {{n, hidden}}, {{gates * hidden, x[2]}}, {{gates * hidden, hidden}}};
  in[2].grad = gates == 4;
  for (int i = 0; i < biases; ++i) in.push_back({{gates * hidden}});
  return in;
}

Tensor f(const Shape& shape) { return ones(shape); }

const Rows rows{
    {.op = "lstm",
     .inputs = {sizes(4, {3, 2, 2}, 2, 3, 2), sizes(4, {1, 1, 3}, 1, 1, 0), sizes(4, {2, 3, 1}, 3, 2, 1),
                sizes(4, {3, 0, 2}, 0, 3, 2)},
     .run = run_lstm<false, false>,
     .reference = plain_lstm<false, false>,
     .failures = {{"no steps",
                   [] {
                     lstm(f({0, 2, 3}), {f({2, 4}), f({2, 4})}, {f({16, 3}), f({16, 4})});
                   },
                   "the sequence has no steps"},
                  {"no batch",
                   [] {
                     lstm(f({5, 3}), {f({2, 4}), f({2, 4})}, {f({16, 3}), f({16, 4})});
                   },
                   "the input must be [T, N, I], got [5, 3]"},
                  {"a state of another batch",
                   [] {
                     lstm(f({5, 2, 3}), {f({3, 4}), f({3, 4})}, {f({16, 3}), f({16, 4})});
                   },
                   "the state must be [2, H]"},
                  {"another number of features",
                   [] {
                     lstm(f({5, 2, 7}), {f({2, 4}), f({2, 4})}, {f({16, 3}), f({16, 4})});
                   },
                   "expected the weight of the input to be [16, 7]"},
                  {"a weight of the state that is too small",
                   [] {
                     lstm(f({5, 2, 3}), {f({2, 4}), f({2, 4})}, {f({16, 3}), f({16, 3})});
                   },
                   "expected the weight of the state to be [16, 4]"},
                  {"a bias of another size",
                   [] {
                     lstm(f({5, 2, 3}), {f({2, 4}), f({2, 4})}, {f({16, 3}), f({16, 4}), f({4})});
                   },
                   "the biases must be [16]"},
                  {"h and c that differ",
                   [] {
                     lstm(f({5, 2, 3}), {f({2, 4}), f({2, 3})}, {f({16, 3}), f({16, 4})});
                   },
                   "h is [2, 4] and c is [2, 3]"}}},
    {.op = "lstm",
     .inputs = {sizes(4, {2, 3, 2}, 2, 3, 2), sizes(4, {1, 3, 2}, 1, 2, 2)},
     .run = run_lstm<true, true>,
     .reference = plain_lstm<true, true>,
     .label = "reverse_batch_first"},
    {.op = "gru",
     .inputs = {sizes(3, {3, 2, 2}, 2, 3, 2), sizes(3, {1, 1, 3}, 1, 1, 0), sizes(3, {2, 3, 1}, 3, 2, 1),
                sizes(3, {3, 0, 2}, 0, 3, 2)},
     .run = run_gru<false, false>,
     .reference = plain_gru<false, false>,
     .failures = {{"integers",
                   [] {
                     gru(ones({5, 2, 3}, {.dtype = int64}), f({2, 4}), {f({12, 3}), f({12, 4})});
                   },
                   "floating point"}}},
    {.op = "gru",
     .inputs = {sizes(3, {2, 3, 2}, 2, 3, 2), sizes(3, {1, 3, 2}, 1, 2, 2)},
     .run = run_gru<true, true>,
     .reference = plain_gru<true, true>,
     .label = "reverse_batch_first"},
};

}  // namespace
}  // namespace espalier::test
