#include <algorithm>
#include <functional>

#include <golden/golden.h>

#include <espalier/nn/nn.h>

namespace espalier::nn {
namespace {

struct Case {
  std::string name;  // in layers.safetensors
  std::string printed;
  std::function<void(const std::string& name, DType dtype, double tolerance)> check;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

StateDict state_of(const test::Golden& golden, const std::string& name) {
  StateDict state;
  for (auto& [key, value] : golden.all(name, "param.")) state.set(key, value);
  for (auto& [key, value] : golden.all(name, "buffer.")) state.set(key, value);
  return state;
}

// Output, gradients and statistics of a layer, with the file's input and parameters in the given dtype.
template <class Layer>
void check_layer(Layer layer, const std::string& name, DType dtype, double tolerance) {
  test::Golden golden("layers");
  layer.to(float64);
  layer.load_state_dict(state_of(golden, name));
  layer.to(dtype);
  Tensor x = golden(name, "input.x").clone();
  if (x.is_floating_point()) x = x.to(dtype).requires_grad_();
  Tensor y = layer(x);
  EXPECT_EQ(y.dtype(), dtype);
  test::expect_close(y, golden(name, "output"), tolerance, "output");
  if (y.requires_grad()) y.backward(golden(name, "input.cotangent").to(dtype));
  if (x.requires_grad())
    test::expect_close(x.grad(), golden(name, "grad.x"), tolerance, "gradient of the input");
  for (auto& [key, p] : layer.named_parameters()) {
    test::expect_close(p.grad(), golden(name, "grad." + key), tolerance, "gradient of " + key);
  }
  StateDict after = layer.state_dict();
  for (auto& [key, value] : golden.all(name, "after.")) test::expect_close(after[key], value, tolerance, key);
}

template <class Layer>
Case row(const std::string& name, const Layer& layer) {
  return {name, to_string(layer), [layer](const auto&... arguments) { check_layer(layer, arguments...); }};
}

template <class Layer>
Layer evaluated(Layer layer) {
  layer.eval();
  return layer;
}

const std::vector<Case>& cases() {
  static const std::vector<Case> rows = {
      row("conv2d", Conv2d(3, 4, 3)),
      row("conv2d_padding", Conv2d(3, 5, 3, {.padding = 1})),
      row("conv2d_stride", Conv2d(4, 6, 3, {.stride = 2, .padding = 1})),
      row("conv2d_rectangular", Conv2d(3, 4, {3, 1}, {.stride = {1, 2}, .padding = {1, 0}})),
      row("conv2d_dilation", Conv2d(2, 3, 3, {.padding = 2, .dilation = 2})),
      row("conv2d_groups", Conv2d(4, 6, 3, {.padding = 1, .groups = 2})),
      row("conv2d_depthwise", Conv2d(4, 4, 3, {.padding = 1, .groups = 4})),
      row("conv2d_no_bias", Conv2d(3, 4, 2, {.bias = false})),
      row("conv2d_1x1", Conv2d(8, 5, 1)),
      row("conv2d_wide", Conv2d(16, 16, 3, {.padding = 1})),
      row("linear", Linear(7, 5)),
      row("linear_no_bias", Linear(7, 5, {.bias = false})),
      row("linear_sequence", Linear(7, 5)),
      row("relu", ReLU()),
      row("flatten", Flatten()),
      row("flatten_middle", Flatten(1, 2)),
      row("max_pool2d", MaxPool2d(2)),
      row("max_pool2d_overlapping", MaxPool2d(3, {.stride = 2, .padding = 1})),
      row("max_pool2d_ceil_mode", MaxPool2d(3, {.stride = 2, .ceil_mode = true})),
      row("max_pool2d_dilation", MaxPool2d(2, {.stride = 1, .dilation = 2})),
      row("avg_pool2d", AvgPool2d(2)),
      row("avg_pool2d_padding", AvgPool2d(3, {.stride = 2, .padding = 1})),
      row("avg_pool2d_exclude_padding",
          AvgPool2d(3, {.stride = 2, .padding = 1, .count_include_pad = false})),
      row("avg_pool2d_ceil_mode", AvgPool2d(3, {.stride = 2, .padding = 1, .ceil_mode = true})),
      row("adaptive_avg_pool2d_one", AdaptiveAvgPool2d(1)),
      row("adaptive_avg_pool2d", AdaptiveAvgPool2d({3, 2})),
      row("batch_norm1d_train", BatchNorm1d(5)),
      row("batch_norm1d_eval", evaluated(BatchNorm1d(5))),
      row("batch_norm1d_sequence", BatchNorm1d(5)),
      row("batch_norm2d_train", BatchNorm2d(4)),
      row("batch_norm2d_eval", evaluated(BatchNorm2d(4))),
      row("batch_norm2d_momentum", BatchNorm2d(4, {.eps = 1e-3, .momentum = 0.3})),
      row("batch_norm2d_no_affine", BatchNorm2d(4, {.affine = false})),
      row("layer_norm", LayerNorm(6)),
      row("layer_norm_two", LayerNorm({3, 6})),
      row("layer_norm_no_affine", LayerNorm(6, {.elementwise_affine = false})),
      row("dropout_eval", evaluated(Dropout(0.5))),
      row("embedding", Embedding(9, 4)),
      row("embedding_padding_idx", Embedding(9, 4, {.padding_idx = 2})),
      row("gelu", GELU()),
      row("gelu_tanh", GELU{.approximate = "tanh"}),
      row("sigmoid", Sigmoid()),
      row("tanh", Tanh()),
      row("softmax", Softmax(1)),
      row("softmax_channels", Softmax(1)),
  };
  return rows;
}

class GoldenLayers : public testing::TestWithParam<Case> {};

TEST_P(GoldenLayers, GivesPyTorchsNumbers) {
  GetParam().check(GetParam().name, float64, 1e-11);
  GetParam().check(GetParam().name, float32, 1e-5);
}

TEST_P(GoldenLayers, PrintsAsInPyTorch) {
  io::SafetensorsFile file("golden/layers.safetensors");
  EXPECT_EQ(file.metadata().at(GetParam().name), concat("{\"module\": \"", GetParam().printed, "\"}"));
}

INSTANTIATE_TEST_SUITE_P(All, GoldenLayers, testing::ValuesIn(cases()),
                         [](auto& info) { return info.param.name; });

TEST(GoldenLayerFile, HasNoCaseThatIsNotChecked) {
  for (auto& name : test::Golden("layers").cases()) {
    EXPECT_TRUE(std::any_of(cases().begin(), cases().end(), [&](auto& c) { return c.name == name; })) << name;
  }
}

}  // namespace
}  // namespace espalier::nn
