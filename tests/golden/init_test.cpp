#include <golden/golden.h>

#include <espalier/core/random.h>
#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>

namespace espalier::nn {
namespace {

// A layer's parameters from seed 0: uniform values to the bit, normal ones to a rounding.
template <class Make>
void check_layer(const std::string& name, double tolerance, const Make& make) {
  test::Golden golden("random");
  manual_seed(0);
  auto layer = make();
  for (auto& [key, p] : layer.named_parameters()) {
    test::expect_close(p, golden(name, "output." + key), tolerance, name + " " + key);
  }
}

TEST(GoldenInit, LayersStartFromPyTorchsParameters) {
  check_layer("linear", 0, [] { return Linear(20, 3); });
  check_layer("conv2d", 0, [] { return Conv2d(3, 4, 3); });
  check_layer("embedding", 1e-6, [] { return Embedding(10, 3, {.padding_idx = 1}); });
  check_layer("lstm", 0, [] { return LSTM(3, 2, {.num_layers = 2, .bidirectional = true}); });
  check_layer("gru", 0, [] { return GRU(3, 2); });
  check_layer("lstm_cell", 0, [] { return LSTMCell(3, 2); });
  check_layer("attention", 1e-6, [] { return MultiheadAttention(4, 2, {.add_bias_kv = true}); });
  check_layer("attention_kdim", 0, [] { return MultiheadAttention(4, 2, {.kdim = 3, .vdim = 5}); });
  check_layer("encoder", 0, [] {
    return TransformerEncoder(TransformerEncoderLayer(4, 2, {.dim_feedforward = 5}), 2, LayerNorm(4));
  });
}

template <class Fill>
void check_fill(const std::string& name, const Fill& fill) {
  manual_seed(0);
  test::expect_close(fill(empty({6, 4, 3, 3})), test::Golden("random")(name, "output"), 1e-6, name);
}

TEST(GoldenInit, FunctionsFillAsPyTorchs) {
  check_fill("xavier_uniform", [](Tensor t) { return init::xavier_uniform_(t, 1.5); });
  check_fill("xavier_normal", [](Tensor t) { return init::xavier_normal_(t); });
  check_fill("kaiming_uniform", [](Tensor t) { return init::kaiming_uniform_(t, {.nonlinearity = "relu"}); });
  check_fill("kaiming_normal",
             [](Tensor t) { return init::kaiming_normal_(t, {.mode = "fan_out", .nonlinearity = "relu"}); });
}

}  // namespace
}  // namespace espalier::nn
