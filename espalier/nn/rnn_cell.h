#pragma once

#include <espalier/nn/module.h>
#include <espalier/ops/rnn.h>

// One step of a recurrent layer: the next state from an input [N, input_size] (or [input_size]) and a state
// [N, hidden_size] (or [hidden_size]); without a state, from zeros.
namespace espalier::nn {

struct CellOptions {
  bool bias = true;
};

struct LSTMCell : Module<LSTMCell> {
  LSTMCell(int64_t input_size, int64_t hidden_size, CellOptions options = {});

  LstmState forward(const Tensor& x, const LstmState& state = {}) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t input_size, hidden_size;
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;  // [4 · hidden_size, …]
  ESPALIER_FIELDS(LSTMCell, input_size, hidden_size, weight_ih, weight_hh, bias_ih, bias_hh)
};

struct GRUCell : Module<GRUCell> {
  GRUCell(int64_t input_size, int64_t hidden_size, CellOptions options = {});

  Tensor forward(const Tensor& x, const Tensor& h = {}) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t input_size, hidden_size;
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;  // [3 · hidden_size, …]
  ESPALIER_FIELDS(GRUCell, input_size, hidden_size, weight_ih, weight_hh, bias_ih, bias_hh)
};

extern template const ModuleType& detail::type_of<LSTMCell>();
extern template const ModuleType& detail::type_of<GRUCell>();

}  // namespace espalier::nn
