#include <espalier/ops/rnn.h>

#include <vector>

#include <espalier/autograd/autocast.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/math.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/rnn_fused.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

void check_weights(const char* op, const Tensor& x, const Tensor& h, const RnnWeights& w, int64_t gates) {
  detail::check_floating(op, x);
  require<ShapeError>(x.dim() > 0 && h.dim() > 0, op, ": needs features, got ", x.shape(), " and ",
                      h.shape());
  int64_t in = x.shape().back(), hidden = h.shape().back(), rows = checked_mul(gates, hidden, op);
  require<ShapeError>(w.weight_ih.shape() == Shape{rows, in}, "expected the weight of the input to be ",
                      Shape{rows, in}, " for the input ", x.shape(), " and the state ", h.shape(), ", got ",
                      w.weight_ih.shape());
  require<ShapeError>(w.weight_hh.shape() == Shape{rows, hidden}, "expected the weight of the state to be ",
                      Shape{rows, hidden}, " for the state ", h.shape(), ", got ", w.weight_hh.shape());
  for (const Tensor* b : {&w.bias_ih, &w.bias_hh}) {
    require<ShapeError>(!b->defined() || b->shape() == Shape{rows}, op, ": the biases must be [", rows,
                        "], got ", b->defined() ? b->shape() : Shape());
  }
}

void check_cell(const char* op, const Tensor& x, const Tensor& h, const RnnWeights& w, int64_t gates) {
  bool fits = x.dim() == h.dim() && (x.dim() == 1 || (x.dim() == 2 && x.size(0) == h.size(0)));
  require<ShapeError>(fits, op, ": needs an input [N, I] and a state [N, H], or [I] and [H], got ", x.shape(),
                      " and ", h.shape());
  check_weights(op, x, h, w, gates);
}

void check_layer(const char* op, const Tensor& x, const Tensor& h, const RnnWeights& w, int64_t gates,
                 const RnnOptions& o) {
  require<ShapeError>(x.dim() == 3, op, ": the input must be ", o.batch_first ? "[N, T, I]" : "[T, N, I]",
                      ", got ", x.shape());
  int64_t steps = x.size(o.batch_first ? 1 : 0), n = x.size(o.batch_first ? 0 : 1);
  require<ShapeError>(steps > 0, op, ": the sequence has no steps, got ", x.shape());
  require<ShapeError>(h.dim() == 2 && h.size(0) == n, op, ": the state must be [", n, ", H] for the input ",
                      x.shape(), ", got ", h.shape());
  check_weights(op, x, h, w, gates);
}

// Under Autocast an input that is of the lower dtype; layers compute in that of their weights.
bool must_cast(const Tensor& x, const RnnWeights& w) {
  return autocast_enabled() && x.dtype() != w.weight_hh.dtype();
}
Tensor cast(const Tensor& x, const RnnWeights& w) { return x.to(w.weight_hh.dtype()); }

// The steps from what the input (with its bias) and the state (with its bias) give to the gates.
LstmState lstm_step(const Tensor& from_x, const Tensor& from_h, const Tensor& c) {
  auto gates = (from_x + from_h).chunk(4, -1);
  Tensor next = gates[1].sigmoid() * c + gates[0].sigmoid() * gates[2].tanh();
  return {gates[3].sigmoid() * next.tanh(), next};
}

Tensor gru_step(const Tensor& from_x, const Tensor& from_h, const Tensor& h) {
  auto x = from_x.chunk(3, -1), own = from_h.chunk(3, -1);
  Tensor r = (x[0] + own[0]).sigmoid(), z = (x[1] + own[1]).sigmoid(), n = (x[2] + r * own[2]).tanh();
  return n + z * (h - n);
}

// Runs `step(from_x, from_h)` for every step, with the h that it gave last; gives all of them.
template <class Step>
Tensor unrolled(const Tensor& x, Tensor h, const RnnWeights& w, const RnnOptions& o, Step&& step) {
  Tensor from_x = linear(o.batch_first ? x.transpose(0, 1) : x, w.weight_ih, w.bias_ih);
  int64_t steps = from_x.size(0);
  std::vector<Tensor> out(static_cast<size_t>(steps));
  for (int64_t i = 0; i < steps; ++i) {
    int64_t at = o.reverse ? steps - 1 - i : i;
    h = step(from_x[at], linear(h, w.weight_hh, w.bias_hh), h);
    out[static_cast<size_t>(at)] = h;
  }
  return stack(out, o.batch_first ? 1 : 0);
}

Tensor last_step(const Tensor& y, const RnnOptions& o) {
  return y.select(o.batch_first ? 1 : 0, o.reverse ? 0 : -1);
}

}  // namespace

LstmState lstm_cell(const Tensor& x, const LstmState& state, const RnnWeights& w) {
  auto& [h, c] = state;
  check_cell("lstm_cell", x, h, w, 4);
  require<ShapeError>(c.shape() == h.shape(), "lstm_cell: h is ", h.shape(), " and c is ", c.shape());
  return lstm_step(linear(x, w.weight_ih, w.bias_ih), linear(h, w.weight_hh, w.bias_hh), c);
}

Tensor gru_cell(const Tensor& x, const Tensor& h, const RnnWeights& w) {
  check_cell("gru_cell", x, h, w, 3);
  return gru_step(linear(x, w.weight_ih, w.bias_ih), linear(h, w.weight_hh, w.bias_hh), h);
}

Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const RnnWeights& w) {
  check_cell("rnn_tanh_cell", x, h, w, 1);
  return (linear(x, w.weight_ih, w.bias_ih) + linear(h, w.weight_hh, w.bias_hh)).tanh();
}

Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const RnnWeights& w) {
  check_cell("rnn_relu_cell", x, h, w, 1);
  return (linear(x, w.weight_ih, w.bias_ih) + linear(h, w.weight_hh, w.bias_hh)).relu();
}

std::pair<Tensor, LstmState> detail::composed_lstm(const Tensor& x, const LstmState& state,
                                                   const RnnWeights& w, const RnnOptions& o) {
  Tensor c = state.second;
  Tensor y = unrolled(x, state.first, w, o, [&](const Tensor& from_x, const Tensor& from_h, const Tensor&) {
    LstmState next = lstm_step(from_x, from_h, c);
    c = next.second;
    return next.first;
  });
  return {y, {last_step(y, o), c}};
}

Tensor detail::composed_gru(const Tensor& x, const Tensor& h, const RnnWeights& w, const RnnOptions& o) {
  return unrolled(x, h, w, o, gru_step);
}

std::pair<Tensor, LstmState> lstm(const Tensor& x, const LstmState& state, const RnnWeights& w,
                                  const RnnOptions& o) {
  auto& [h, c] = state;
  if (must_cast(x, w)) return lstm(cast(x, w), {cast(h, w), cast(c, w)}, w, o);
  check_layer("lstm", x, h, w, 4, o);
  require<ShapeError>(c.shape() == h.shape(), "lstm: h is ", h.shape(), " and c is ", c.shape());
  if (!detail::can_fuse(x, h, w) || c.dtype() != x.dtype()) return detail::composed_lstm(x, state, w, o);
  auto [y, last_c] = detail::fused_lstm(x, state, w, o);
  return {y, {last_step(y, o), last_c}};
}

std::pair<Tensor, Tensor> gru(const Tensor& x, const Tensor& h, const RnnWeights& w, const RnnOptions& o) {
  if (must_cast(x, w)) return gru(cast(x, w), cast(h, w), w, o);
  check_layer("gru", x, h, w, 3, o);
  Tensor y = detail::can_fuse(x, h, w) ? detail::fused_gru(x, h, w, o) : detail::composed_gru(x, h, w, o);
  return {y, last_step(y, o)};
}

std::pair<Tensor, Tensor> rnn_tanh(const Tensor& x, const Tensor& h, const RnnWeights& w,
                                   const RnnOptions& o) {
  check_layer("rnn_tanh", x, h, w, 1, o);
  Tensor y =
      unrolled(x, h, w, o, [](const Tensor& a, const Tensor& b, const Tensor&) { return (a + b).tanh(); });
  return {y, last_step(y, o)};
}

std::pair<Tensor, Tensor> rnn_relu(const Tensor& x, const Tensor& h, const RnnWeights& w,
                                   const RnnOptions& o) {
  check_layer("rnn_relu", x, h, w, 1, o);
  Tensor y =
      unrolled(x, h, w, o, [](const Tensor& a, const Tensor& b, const Tensor&) { return (a + b).relu(); });
  return {y, last_step(y, o)};
}

}  // namespace espalier
