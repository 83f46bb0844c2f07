#pragma once

#include <utility>
#include <vector>

#include <espalier/nn/module.h>
#include <espalier/ops/rnn.h>

// Recurrent layers. An input is [T, N, input_size], with batch_first [N, T, input_size], or [T, input_size].
// The result is what the last layer gave at each step, and the last state of every layer and direction, as in
// PyTorch: `auto [y, state] = lstm(x);` with `auto [h, c] = state;`, and `auto [y, h] = gru(x);`. A state
// goes back in as second argument; without it states start as zeros.
namespace espalier::nn {

using espalier::LstmState;

struct LSTMOptions {
  int64_t num_layers = 1;
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;  // on what each layer but the last gives
  bool bidirectional = false;
};
using GRUOptions = LSTMOptions;

struct RNNOptions {
  int64_t num_layers = 1;
  const char* nonlinearity = "tanh";  // or "relu"
  bool bias = true;
  bool batch_first = false;
  double dropout = 0;
  bool bidirectional = false;
};

// The parameters of one layer in one direction. Their keys are weight_ih_l0, …, with _reverse for the second
// direction.
struct RecurrentWeights {
  Parameter weight_ih, weight_hh, bias_ih, bias_hh;
  operator RnnWeights() const { return {weight_ih, weight_hh, bias_ih, bias_hh}; }
};

class LSTM : public Module<LSTM> {
 public:
  LSTM(int64_t input_size, int64_t hidden_size, LSTMOptions options = {});

  // States are [num_layers · directions, N, hidden_size].
  std::pair<Tensor, LstmState> forward(const Tensor& x, const LstmState& state = {}) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t input_size, hidden_size;
  LSTMOptions options;
  bool training = true;
  std::vector<RecurrentWeights> all_weights;  // a layer after the other, in it forward and reverse

 private:
  friend struct detail::Access;
  static void espalier_fields(LSTM& self, Fields& out);
};

class GRU : public Module<GRU> {
 public:
  GRU(int64_t input_size, int64_t hidden_size, GRUOptions options = {});

  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h = {}) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t input_size, hidden_size;
  GRUOptions options;
  bool training = true;
  std::vector<RecurrentWeights> all_weights;

 private:
  friend struct detail::Access;
  static void espalier_fields(GRU& self, Fields& out);
};

class RNN : public Module<RNN> {
 public:
  RNN(int64_t input_size, int64_t hidden_size, RNNOptions options = {});

  std::pair<Tensor, Tensor> forward(const Tensor& x, const Tensor& h = {}) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t input_size, hidden_size;
  RNNOptions options;
  bool training = true;
  std::vector<RecurrentWeights> all_weights;

 private:
  friend struct detail::Access;
  static void espalier_fields(RNN& self, Fields& out);
};

extern template const ModuleType& detail::type_of<LSTM>();
extern template const ModuleType& detail::type_of<GRU>();
extern template const ModuleType& detail::type_of<RNN>();

}  // namespace espalier::nn
