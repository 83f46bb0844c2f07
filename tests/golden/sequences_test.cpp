#include <algorithm>
#include <functional>

#include <golden/golden.h>

#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>

namespace espalier::nn {
namespace {

using Tensors = std::vector<Tensor>;

struct Case {
  std::string name;  // in sequences.safetensors
  std::string printed;
  std::vector<std::string> keys;
  std::function<void(const std::string& name, DType dtype, double tolerance)> check;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

// Results and gradients of a layer, with the file's inputs and parameters in the given dtype.
template <class Layer, class Call>
void check_layer(Layer layer, const Call& call, const std::string& name, DType dtype, double tolerance) {
  test::Golden golden("sequences");
  StateDict state;
  for (auto& [key, value] : golden.all(name, "param.")) state.set(key, value);
  layer.to(float64);
  layer.load_state_dict(state);
  layer.to(dtype);
  Tensors inputs;
  auto given = golden.all(name, "input.");
  for (auto& [key, value] : given) inputs.push_back(value.to(dtype).clone().requires_grad_());
  Tensors results = call(layer, inputs);
  Tensor sum = zeros({}, {.dtype = dtype});
  for (size_t i = 0; i < results.size(); ++i) {
    std::string number = std::to_string(i);
    EXPECT_EQ(results[i].dtype(), dtype);
    test::expect_close(results[i], golden(name, "output." + number), tolerance, "result " + number);
    sum = sum + (results[i] * golden(name, "cotangent." + number).to(dtype)).sum();
  }
  EXPECT_EQ(results.size(), golden.all(name, "output.").size());
  sum.backward();
  for (size_t i = 0; i < inputs.size(); ++i) {
    const std::string& key = given[i].first;
    test::expect_close(inputs[i].grad(), golden(name, "grad." + key), tolerance, "gradient of " + key);
  }
  for (auto& [key, p] : layer.named_parameters()) {
    test::expect_close(p.grad(), golden(name, "grad." + key), tolerance, "gradient of " + key);
  }
}

template <class Layer, class Call>
Case row(const std::string& name, const Layer& layer, const Call& call) {
  std::vector<std::string> keys;
  for (auto& [key, value] : layer.state_dict()) keys.push_back(key);
  return {name, to_string(layer), keys,
          [=](const auto&... arguments) { check_layer(layer, call, arguments...); }};
}

Tensors flat(const Tensor& y) { return {y}; }
Tensors flat(const std::pair<Tensor, Tensor>& y) {
  return y.second.defined() ? Tensors{y.first, y.second} : Tensors{y.first};
}
Tensors flat(const std::pair<Tensor, LstmState>& y) { return {y.first, y.second.first, y.second.second}; }

auto attend(Attend how = {}) {
  return [how](const auto& layer, const Tensors& in) { return flat(layer(in[0], in[0], in[0], how)); };
}

Tensor padding() {
  return tensor({{false, false, false, false}, {false, false, true, true}, {true, false, false, false}});
}
Tensor causal() { return ones({4, 4}).triu(1).to(boolean); }

const std::vector<Case>& cases() {
  auto one = [](const auto& layer, const Tensors& in) { return flat(layer(in[0])); };
  auto with_h = [](const auto& layer, const Tensors& in) { return flat(layer(in[0], in[1])); };
  auto with_state = [](const auto& layer, const Tensors& in) {
    return flat(layer(in[0], std::pair{in[1], in[2]}));
  };
  static const LSTMOptions all{.num_layers = 2, .batch_first = true, .bidirectional = true};
  static const RNNOptions all_rnn{.num_layers = 2, .batch_first = true, .bidirectional = true};
  static const std::vector<Case> rows = {
      row("lstm", LSTM(5, 3), one),
      row("lstm_all", LSTM(3, 5, all), one),
      row("lstm_no_bias", LSTM(2, 17, {.bias = false}), one),
      row("lstm_unbatched", LSTM(3, 4, {.batch_first = true}), one),
      row("lstm_state", LSTM(3, 4, {.num_layers = 2}), with_state),
      row("gru", GRU(5, 3), one),
      row("gru_all", GRU(3, 5, all), one),
      row("gru_no_bias", GRU(2, 17, {.bias = false}), one),
      row("gru_unbatched", GRU(3, 4, {.batch_first = true}), one),
      row("gru_state", GRU(3, 4, {.bidirectional = true}), with_h),
      row("rnn", RNN(5, 3), one),
      row("rnn_all", RNN(3, 5, all_rnn), one),
      row("rnn_no_bias", RNN(2, 17, {.bias = false}), one),
      row("rnn_unbatched", RNN(3, 4, {.batch_first = true}), one),
      row("rnn_relu", RNN(4, 3, {.nonlinearity = "relu"}), one),
      row("lstm_cell", LSTMCell(3, 4), with_state),
      row("gru_cell", GRUCell(3, 4), with_h),
      row("gru_cell_no_bias", GRUCell(3, 4, {.bias = false}), one),
      row("attention", MultiheadAttention(6, 2, {.batch_first = true}), attend({.need_weights = false})),
      row("attention_weights", MultiheadAttention(6, 3), attend()),
      row("attention_of_each_head", MultiheadAttention(6, 2, {.bias = false}),
          attend({.average_attn_weights = false})),
      row("attention_causal", MultiheadAttention(6, 2, {.batch_first = true}),
          attend({.need_weights = false, .attn_mask = causal(), .is_causal = true})),
      row("attention_padding", MultiheadAttention(6, 2, {.batch_first = true}),
          attend({.key_padding_mask = padding(), .need_weights = false})),
      row("attention_both_masks", MultiheadAttention(6, 2),
          [](const auto& layer, const Tensors& in) {
            return flat(
                layer(in[0], in[0], in[0], Attend{.key_padding_mask = padding(), .attn_mask = in[1]}));
          }),
      row("attention_cross", MultiheadAttention(6, 2, {.kdim = 3, .vdim = 5}),
          [](const auto& layer, const Tensors& in) { return flat(layer(in[0], in[1], in[2])); }),
      row("attention_memory", MultiheadAttention(6, 2, {.batch_first = true}),
          [](const auto& layer, const Tensors& in) {
            return flat(layer(in[0], in[1], in[1], Attend{.need_weights = false}));
          }),
      row("attention_bias_kv", MultiheadAttention(6, 2, {.add_bias_kv = true, .add_zero_attn = true}),
          attend({.key_padding_mask = padding(), .attn_mask = causal()})),
      row("attention_unbatched", MultiheadAttention(6, 2), attend()),
      row("encoder_layer", TransformerEncoderLayer(6, 2, {.dim_feedforward = 7, .dropout = 0}), one),
      row("encoder_layer_norm_first",
          TransformerEncoderLayer(6, 2,
                                  {.dim_feedforward = 7,
                                   .dropout = 0,
                                   .activation = "gelu",
                                   .batch_first = true,
                                   .norm_first = true}),
          [](const auto& layer, const Tensors& in) {
            return flat(layer(in[0], Encode{.src_key_padding_mask = padding()}));
          }),
      row("encoder",
          TransformerEncoder(
              TransformerEncoderLayer(
                  4, 2, {.dim_feedforward = 5, .dropout = 0, .batch_first = true, .bias = false}),
              2, LayerNorm(4)),
          [](const auto& layer, const Tensors& in) {
            return flat(layer(in[0], Encode{.mask = generate_square_subsequent_mask(4)}));
          }),
  };
  return rows;
}

class GoldenSequences : public testing::TestWithParam<Case> {};

TEST_P(GoldenSequences, GivesPyTorchsNumbers) {
  GetParam().check(GetParam().name, float64, 1e-11);
  GetParam().check(GetParam().name, float32, 1e-5);
}

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (size_t at; (at = text.find(what)) != text.npos;) text.replace(at, what.size(), by);
  return text;
}

TEST_P(GoldenSequences, PrintsAndHasTheKeysAsInPyTorch) {
  io::SafetensorsFile file("golden/sequences.safetensors");
  std::string keys;
  for (auto& key : GetParam().keys) keys += (keys.empty() ? "\"" : ", \"") + key + '"';
  std::string wanted = replaced(file.metadata().at(GetParam().name), "NonDynamicallyQuantizable", "");
  EXPECT_EQ(wanted, concat("{\"module\": \"", replaced(GetParam().printed, "\n", "\\n"), "\", \"keys\": [",
                           keys, "]}"));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenSequences, testing::ValuesIn(cases()),
                         [](auto& info) { return info.param.name; });

TEST(GoldenSequenceFile, HasNoCaseThatIsNotChecked) {
  for (auto& name : test::Golden("sequences").cases()) {
    EXPECT_TRUE(std::any_of(cases().begin(), cases().end(), [&](auto& c) { return c.name == name; })) << name;
  }
}

}  // namespace
}  // namespace espalier::nn
