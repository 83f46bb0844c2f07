#pragma once

#include <espalier/ops/rnn.h>

// LSTM and GRU as one operation each, of inputs that rnn.cpp has checked.
namespace espalier::detail {

bool can_fuse(const Tensor& x, const Tensor& h, const RnnWeights& w);

// What the composed operations give, for derivatives of derivatives: the h of every step and the last state.
std::pair<Tensor, LstmState> composed_lstm(const Tensor& x, const LstmState& state, const RnnWeights& w,
                                           const RnnOptions& options);
Tensor composed_gru(const Tensor& x, const Tensor& h, const RnnWeights& w, const RnnOptions& options);

// The h of every step, and the last c.
std::pair<Tensor, Tensor> fused_lstm(const Tensor& x, const LstmState& state, const RnnWeights& w,
                                     const RnnOptions& options);
Tensor fused_gru(const Tensor& x, const Tensor& h, const RnnWeights& w, const RnnOptions& options);

}  // namespace espalier::detail
