#include <espalier/nn/rnn_cell.h>

#include <cmath>

#include <espalier/nn/checks.h>
#include <espalier/nn/init.h>
#include <espalier/ops/creation.h>

namespace espalier::nn {
namespace {

void make(const char* kind, auto& cell, int64_t gates, bool bias) {
  detail::check_setting(kind, "input_size", cell.input_size, 1);
  detail::check_setting(kind, "hidden_size", cell.hidden_size, 1);
  int64_t rows = checked_mul(gates, cell.hidden_size, kind);
  cell.weight_ih = empty({rows, cell.input_size});
  cell.weight_hh = empty({rows, cell.hidden_size});
  if (bias) cell.bias_ih = empty({rows}), cell.bias_hh = empty({rows});
  cell.reset_parameters();
}

void reset(auto& cell) {
  double bound = 1 / std::sqrt(static_cast<double>(cell.hidden_size));
  for (Parameter* p : {&cell.weight_ih, &cell.weight_hh, &cell.bias_ih, &cell.bias_hh}) {
    if (p->defined()) init::uniform_(*p, -bound, bound);
  }
}

std::string settings(const auto& cell) {
  return concat(cell.input_size, ", ", cell.hidden_size, cell.bias_ih.defined() ? "" : ", bias=False");
}

// The state given, or zeros.
Tensor checked_state(const auto& cell, const Tensor& x, const Tensor& h) {
  detail::check_rank(x, 1, 2);
  detail::check_size(x, -1, cell.input_size, "input features");
  Shape shape = x.shape();
  shape[shape.rank() - 1] = cell.hidden_size;
  if (!h.defined()) return zeros(shape, {.dtype = x.dtype()});
  require<ShapeError>(h.shape() == shape, "expected a state ", shape, " for the input ", x.shape(), ", got ",
                      h.shape());
  return h;
}

RnnWeights weights(const auto& cell) { return {cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh}; }

}  // namespace

LSTMCell::LSTMCell(int64_t input_size, int64_t hidden_size, CellOptions options)
    : input_size(input_size), hidden_size(hidden_size) {
  make("LSTMCell", *this, 4, options.bias);
}
GRUCell::GRUCell(int64_t input_size, int64_t hidden_size, CellOptions options)
    : input_size(input_size), hidden_size(hidden_size) {
  make("GRUCell", *this, 3, options.bias);
}

LstmState LSTMCell::forward(const Tensor& x, const LstmState& state) const {
  return lstm_cell(x, {checked_state(*this, x, state.first), checked_state(*this, x, state.second)},
                   weights(*this));
}
Tensor GRUCell::forward(const Tensor& x, const Tensor& h) const {
  return gru_cell(x, checked_state(*this, x, h), weights(*this));
}

void LSTMCell::reset_parameters() { reset(*this); }
void GRUCell::reset_parameters() { reset(*this); }
std::string LSTMCell::extra_repr() const { return settings(*this); }
std::string GRUCell::extra_repr() const { return settings(*this); }

template const ModuleType& detail::type_of<LSTMCell>();
template const ModuleType& detail::type_of<GRUCell>();

}  // namespace espalier::nn
