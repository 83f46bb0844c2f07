#include <espalier/nn/rnn.h>

#include <cmath>
#include <string_view>

#include <espalier/nn/checks.h>
#include <espalier/nn/init.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/dropout.h>
#include <espalier/ops/view.h>

namespace espalier::nn {
namespace {

int64_t directions(const auto& layer) { return layer.options.bidirectional ? 2 : 1; }

void check_settings(const char* kind, const auto& layer) {
  detail::check_setting(kind, "input_size", layer.input_size, 1);
  detail::check_setting(kind, "hidden_size", layer.hidden_size, 1);
  detail::check_setting(kind, "num_layers", layer.options.num_layers, 1);
  double p = layer.options.dropout;
  require<ValueError>(0 <= p && p <= 1, kind, ": dropout is ", p, ", it must be in [0, 1]");
}

void make(const char* kind, auto& layer, int64_t gates) {
  check_settings(kind, layer);
  int64_t hidden = layer.hidden_size, rows = checked_mul(gates, hidden, kind), in = layer.input_size;
  for (int64_t i = 0; i < layer.options.num_layers; ++i, in = hidden * directions(layer)) {
    for (int64_t d = 0; d < directions(layer); ++d) {
      RecurrentWeights w{Parameter(empty({rows, in})), Parameter(empty({rows, hidden})), {}, {}};
      if (layer.options.bias) w.bias_ih = empty({rows}), w.bias_hh = empty({rows});
      layer.all_weights.push_back(std::move(w));
    }
  }
  layer.reset_parameters();
}

void reset(auto& layer) {
  double bound = 1 / std::sqrt(static_cast<double>(layer.hidden_size));
  for (RecurrentWeights& w : layer.all_weights) {
    for (Parameter* p : {&w.weight_ih, &w.weight_hh, &w.bias_ih, &w.bias_hh}) {
      if (p->defined()) init::uniform_(*p, -bound, bound);
    }
  }
}

void list_fields(auto& layer, Fields& out) {
  for (size_t i = 0; i < layer.all_weights.size(); ++i) {
    RecurrentWeights& w = layer.all_weights[i];
    auto d = static_cast<size_t>(directions(layer));
    std::string suffix = concat("_l", i / d, i % d == 1 ? "_reverse" : "");
    out.add("weight_ih" + suffix, w.weight_ih), out.add("weight_hh" + suffix, w.weight_hh);
    out.add("bias_ih" + suffix, w.bias_ih), out.add("bias_hh" + suffix, w.bias_hh);
  }
  out.training.push_back(&layer.training);
}

std::string settings(const auto& layer) {
  auto& o = layer.options;
  std::string text = concat(layer.input_size, ", ", layer.hidden_size);
  if (o.num_layers != 1) text += concat(", num_layers=", o.num_layers);
  if (!o.bias) text += ", bias=False";
  if (o.batch_first) text += ", batch_first=True";
  if (o.dropout != 0) text += concat(", dropout=", detail::python(o.dropout));
  if (o.bidirectional) text += ", bidirectional=True";
  return text;
}

// Masks are drawn in the order of time, as in PyTorch.
Tensor dropped(const Tensor& y, double p, bool batch_first) {
  return batch_first ? dropout(y.transpose(0, 1), p).transpose(0, 1) : dropout(y, p);
}

Tensor checked_input(const auto& layer, const Tensor& x) {
  detail::check_rank(x, 2, 3);
  detail::check_size(x, -1, layer.input_size, "input features");
  return x.dim() == 3 ? x : x.unsqueeze(layer.options.batch_first ? 0 : 1);
}

// A state for all layers, given or zeros; a batch dimension of 1 where the input has none.
Tensor first_state(const auto& layer, const Tensor& x, const Tensor& batched, const Tensor& given) {
  Shape shape{layer.options.num_layers * directions(layer), batched.size(layer.options.batch_first ? 0 : 1),
              layer.hidden_size};
  if (!given.defined()) return zeros(shape, {.dtype = x.dtype()});
  if (x.dim() == 2) shape.erase(1);
  require<ShapeError>(given.shape() == shape, "expected a state ", shape, " for the input ", x.shape(),
                      ", got ", given.shape());
  return x.dim() == 2 ? given.unsqueeze(1) : given;
}

// Runs all layers. `run(x, i, options)` is to run number i of the layers and directions.
Tensor run_layers(const auto& layer, Tensor x, auto&& run) {
  auto& o = layer.options;
  bool batch_first = o.batch_first;
  for (int64_t i = 0; i < o.num_layers; ++i) {
    if (i > 0 && o.dropout > 0 && layer.training) x = dropped(x, o.dropout, batch_first);
    Tensor y = run(x, i * directions(layer), RnnOptions{.batch_first = batch_first});
    if (o.bidirectional) {
      y = cat({y, run(x, 2 * i + 1, RnnOptions{.batch_first = batch_first, .reverse = true})}, 2);
    }
    x = y;
  }
  return x;
}

// As the input was given: without a batch dimension that was added.
Tensor unbatched(const Tensor& y, bool was_batched, int64_t dim) { return was_batched ? y : y.squeeze(dim); }

template <class Op>
std::pair<Tensor, Tensor> run_simple(const auto& layer, const Tensor& x, const Tensor& h, Op&& op) {
  Tensor in = checked_input(layer, x), first = first_state(layer, x, in, h);
  std::vector<Tensor> last;
  Tensor y = run_layers(layer, in, [&](const Tensor& x, int64_t i, const RnnOptions& o) {
    auto [y, h] = op(x, first[i], layer.all_weights[static_cast<size_t>(i)], o);
    last.push_back(h);
    return y;
  });
  bool batched = x.dim() == 3;
  return {unbatched(y, batched, layer.options.batch_first ? 0 : 1), unbatched(stack(last), batched, 1)};
}

}  // namespace

LSTM::LSTM(int64_t input_size, int64_t hidden_size, LSTMOptions options)
    : input_size(input_size), hidden_size(hidden_size), options(options) {
  make("LSTM", *this, 4);
}
GRU::GRU(int64_t input_size, int64_t hidden_size, GRUOptions options)
    : input_size(input_size), hidden_size(hidden_size), options(options) {
  make("GRU", *this, 3);
}
RNN::RNN(int64_t input_size, int64_t hidden_size, RNNOptions options)
    : input_size(input_size), hidden_size(hidden_size), options(options) {
  std::string_view f = options.nonlinearity;
  require<ValueError>(f == "tanh" || f == "relu", "RNN: nonlinearity is 'tanh' or 'relu', got '", f, "'");
  make("RNN", *this, 1);
}

std::pair<Tensor, LstmState> LSTM::forward(const Tensor& x, const LstmState& state) const {
  require<ShapeError>(state.first.defined() == state.second.defined(),
                      "expected a state of h and c, got one of them");
  Tensor in = checked_input(*this, x);
  Tensor h = first_state(*this, x, in, state.first), c = first_state(*this, x, in, state.second);
  std::vector<Tensor> last_h, last_c;
  Tensor y = run_layers(*this, in, [&](const Tensor& x, int64_t i, const RnnOptions& o) {
    auto [y, last] = lstm(x, {h[i], c[i]}, all_weights[static_cast<size_t>(i)], o);
    last_h.push_back(last.first), last_c.push_back(last.second);
    return y;
  });
  bool batched = x.dim() == 3;
  return {unbatched(y, batched, options.batch_first ? 0 : 1),
          {unbatched(stack(last_h), batched, 1), unbatched(stack(last_c), batched, 1)}};
}

std::pair<Tensor, Tensor> GRU::forward(const Tensor& x, const Tensor& h) const {
  return run_simple(*this, x, h, gru);
}
std::pair<Tensor, Tensor> RNN::forward(const Tensor& x, const Tensor& h) const {
  return run_simple(*this, x, h, options.nonlinearity == std::string_view("relu") ? rnn_relu : rnn_tanh);
}

void LSTM::reset_parameters() { reset(*this); }
void GRU::reset_parameters() { reset(*this); }
void RNN::reset_parameters() { reset(*this); }
std::string LSTM::extra_repr() const { return settings(*this); }
std::string GRU::extra_repr() const { return settings(*this); }
std::string RNN::extra_repr() const { return settings(*this); }
void LSTM::espalier_fields(LSTM& self, Fields& out) { list_fields(self, out); }
void GRU::espalier_fields(GRU& self, Fields& out) { list_fields(self, out); }
void RNN::espalier_fields(RNN& self, Fields& out) { list_fields(self, out); }

template const ModuleType& detail::type_of<LSTM>();
template const ModuleType& detail::type_of<GRU>();
template const ModuleType& detail::type_of<RNN>();

}  // namespace espalier::nn
