#pragma once

#include <utility>

#include <espalier/autograd/tensor.h>

// Recurrent layers and their steps. Features: x has I of them, the hidden state H.
namespace espalier {

// One layer in one direction: weight_ih [G·H, I], weight_hh [G·H, H], biases [G·H] or undefined. The G gates
// stand one below the other: i, f, g, o for LSTM, r, z, n for GRU, one for a plain layer.
struct RnnWeights {
  Tensor weight_ih, weight_hh, bias_ih = {}, bias_hh = {};
};

// The state of an LSTM: h and c.
using LstmState = std::pair<Tensor, Tensor>;

// What a step does: the next state from x [N, I] (or [I]) and a state [N, H] (or [H]).
LstmState lstm_cell(const Tensor& x, const LstmState& state, const RnnWeights& w);
Tensor gru_cell(const Tensor& x, const Tensor& h, const RnnWeights& w);
Tensor rnn_tanh_cell(const Tensor& x, const Tensor& h, const RnnWeights& w);
Tensor rnn_relu_cell(const Tensor& x, const Tensor& h, const RnnWeights& w);

struct RnnOptions {
  bool batch_first = false;
  bool reverse = false;  // from the last step to the first
};

// All steps of x [T, N, I], or [N, T, I] with batch_first, from a state [N, H]: the h of every step, at its
// place in time, and the last state. T is at least 1; floating point, one dtype.
std::pair<Tensor, LstmState> lstm(const Tensor& x, const LstmState& state, const RnnWeights& w,
                                  const RnnOptions& options = {});
std::pair<Tensor, Tensor> gru(const Tensor& x, const Tensor& h, const RnnWeights& w,
                              const RnnOptions& options = {});
std::pair<Tensor, Tensor> rnn_tanh(const Tensor& x, const Tensor& h, const RnnWeights& w,
                                   const RnnOptions& options = {});
std::pair<Tensor, Tensor> rnn_relu(const Tensor& x, const Tensor& h, const RnnWeights& w,
                                   const RnnOptions& options = {});

// Whether lstm and gru run as one operation with kernels of its own, instead of many: on at first, read at
// each call. Second derivatives are those of the many.
void set_fused_rnn(bool on);
bool fused_rnn();

}  // namespace espalier
