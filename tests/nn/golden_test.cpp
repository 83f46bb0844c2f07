#include <functional>

#include <gtest/gtest.h>

#include <espalier/io/safetensors.h>
#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>

// Layers against PyTorch: golden/layers.safetensors, written by golden/make.py.
namespace espalier::test {
namespace {

struct Case {
  const char* name;
  std::function<nn::AnyModule()> make;
};

const std::vector<Case> cases = {
    {"conv2d",
     [] {
       return nn::Conv2d{3, 4, 3};
     }},
    {"conv2d_padding",
     [] {
       return nn::Conv2d{3, 5, 3, {.padding = 1}};
     }},
    {"conv2d_stride",
     [] {
       return nn::Conv2d{4, 6, 3, {.stride = 2, .padding = 1}};
     }},
    {"conv2d_rectangular",
     [] {
       return nn::Conv2d{3, 4, {3, 1}, {.stride = {1, 2}, .padding = {1, 0}}};
     }},
    {"conv2d_dilation",
     [] {
       return nn::Conv2d{2, 3, 3, {.padding = 2, .dilation = 2}};
     }},
    {"conv2d_groups",
     [] {
       return nn::Conv2d{4, 6, 3, {.padding = 1, .groups = 2}};
     }},
    {"conv2d_depthwise",
     [] {
       return nn::Conv2d{4, 4, 3, {.padding = 1, .groups = 4}};
     }},
    {"conv2d_no_bias",
     [] {
       return nn::Conv2d{3, 4, 2, {.bias = false}};
     }},
    {"conv2d_1x1",
     [] {
       return nn::Conv2d{8, 5, 1};
     }},
    {"conv2d_wide",
     [] {
       return nn::Conv2d{16, 16, 3, {.padding = 1}};
     }},
    {"linear",
     [] {
       return nn::Linear{7, 5};
     }},
    {"linear_no_bias",
     [] {
       return nn::Linear{7, 5, {.bias = false}};
     }},
    {"linear_sequence",
     [] {
       return nn::Linear{7, 5};
     }},
    {"relu", [] { return nn::ReLU{}; }},
    {"flatten", [] { return nn::Flatten{}; }},
    {"flatten_middle",
     [] {
       return nn::Flatten{1, 2};
     }},
    {"max_pool2d", [] { return nn::MaxPool2d{2}; }},
    {"max_pool2d_overlapping",
     [] {
       return nn::MaxPool2d{3, {.stride = 2, .padding = 1}};
     }},
    {"max_pool2d_ceil_mode",
     [] {
       return nn::MaxPool2d{3, {.stride = 2, .ceil_mode = true}};
     }},
    {"max_pool2d_dilation",
     [] {
       return nn::MaxPool2d{2, {.stride = 1, .dilation = 2}};
     }},
    {"avg_pool2d", [] { return nn::AvgPool2d{2}; }},
    {"avg_pool2d_padding",
     [] {
       return nn::AvgPool2d{3, {.stride = 2, .padding = 1}};
     }},
    {"avg_pool2d_exclude_padding",
     [] {
       return nn::AvgPool2d{3, {.stride = 2, .padding = 1, .count_include_pad = false}};
     }},
    {"avg_pool2d_ceil_mode",
     [] {
       return nn::AvgPool2d{3, {.stride = 2, .padding = 1, .ceil_mode = true}};
     }},
    {"adaptive_avg_pool2d_one", [] { return nn::AdaptiveAvgPool2d{1}; }},
    {"adaptive_avg_pool2d",
     [] {
       return nn::AdaptiveAvgPool2d{{3, 2}};
     }},
    {"batch_norm1d_train", [] { return nn::BatchNorm1d{5}; }},
    {"batch_norm1d_eval", [] { return nn::BatchNorm1d{5}.eval(); }},
    {"batch_norm1d_sequence", [] { return nn::BatchNorm1d{5}; }},
    {"batch_norm2d_train", [] { return nn::BatchNorm2d{4}; }},
    {"batch_norm2d_eval", [] { return nn::BatchNorm2d{4}.eval(); }},
    {"batch_norm2d_momentum",
     [] {
       return nn::BatchNorm2d{4, {.eps = 1e-3, .momentum = 0.3}};
     }},
    {"batch_norm2d_no_affine",
     [] {
       return nn::BatchNorm2d{4, {.affine = false}};
     }},
    {"layer_norm", [] { return nn::LayerNorm{6}; }},
    {"layer_norm_two",
     [] {
       return nn::LayerNorm{{3, 6}};
     }},
    {"layer_norm_no_affine",
     [] {
       return nn::LayerNorm{6, {.elementwise_affine = false}};
     }},
    {"dropout_eval", [] { return nn::Dropout{0.5}.eval(); }},
    {"embedding",
     [] {
       return nn::Embedding{9, 4};
     }},
    {"embedding_padding_idx",
     [] {
       return nn::Embedding{9, 4, {.padding_idx = 2}};
     }},
    {"gelu", [] { return nn::GELU{}; }},
    {"gelu_tanh", [] { return nn::GELU{.approximate = "tanh"}; }},
    {"sigmoid", [] { return nn::Sigmoid{}; }},
    {"tanh", [] { return nn::Tanh{}; }},
    {"softmax", [] { return nn::Softmax{1}; }},
    {"softmax_channels", [] { return nn::Softmax{1}; }},
};

const io::SafetensorsFile& golden() {
  static const io::SafetensorsFile file("golden/layers.safetensors");
  return file;
}

Tensor read(const std::string& name) { return Tensor(golden().array(name)).clone(); }

void expect_near(const Tensor& got, const std::string& name) {
  Tensor want = read(name);
  ASSERT_TRUE(got.defined()) << name;
  ASSERT_EQ(got.shape(), want.shape()) << name;
  auto a = got.to_vector<double>(), b = want.to_vector<double>();
  for (size_t i = 0; i < a.size(); ++i)
    ASSERT_NEAR(a[i], b[i], 1e-9 * (1 + std::abs(b[i]))) << name << " at " << i;
}

class Layer : public testing::TestWithParam<Case> {};

TEST_P(Layer, prints_as_in_pytorch) {
  EXPECT_EQ(golden().metadata().at(GetParam().name),
            concat("{\"module\": \"", to_string(GetParam().make().ref()), "\"}"));
}

TEST_P(Layer, computes_what_pytorch_computes) {
  std::string name = GetParam().name;
  nn::AnyModule layer = GetParam().make();
  layer.ref().to(float64);
  nn::StateDict state;
  for (auto& [key, p] : layer.ref().named_parameters()) state.set(key, read(name + "/param." + key));
  for (auto& [key, b] : layer.ref().named_buffers()) state.set(key, read(name + "/buffer." + key));
  layer.ref().load_state_dict(state, {});

  Tensor x = read(name + "/input.x");
  if (x.is_floating_point()) x.requires_grad_();
  Tensor y = layer(x);
  expect_near(y, name + "/output");
  if (!y.requires_grad()) return;
  y.backward(read(name + "/input.cotangent"));
  if (x.is_floating_point()) expect_near(x.grad(), name + "/grad.x");
  for (auto& [key, p] : layer.ref().named_parameters()) expect_near(p.grad(), name + "/grad." + key);
  for (auto& [key, b] : layer.ref().named_buffers()) expect_near(b, name + "/after." + key);
}

INSTANTIATE_TEST_SUITE_P(Golden, Layer, testing::ValuesIn(cases), [](auto& info) { return info.param.name; });

TEST(Golden, has_a_layer_for_every_case) {
  EXPECT_EQ(golden().metadata().size(), cases.size() + 1);  // and how it was made
}

// Default initialisation from seed 0: uniform values to the bit, normal ones to a rounding.
template <class Layer>
void expect_initial(const char* name, Layer layer, double tolerance) {
  io::SafetensorsFile file("golden/random.safetensors");
  for (auto& [key, p] : layer.named_parameters()) {
    auto want = Tensor(file.array(concat(name, "/output.", key))).template to_vector<float>();
    auto got = p.template to_vector<float>();
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], tolerance) << name << key << i;
  }
}

TEST(Initialisation, is_pytorchs) {
  manual_seed(0);
  expect_initial("linear", nn::Linear{20, 3}, 0);
  manual_seed(0);
  expect_initial("conv2d", nn::Conv2d{3, 4, 3}, 0);
  manual_seed(0);
  expect_initial("embedding", nn::Embedding{10, 3, {.padding_idx = 1}}, 1e-6);
}

void expect_filled(const char* name, Tensor (*fill)(Tensor)) {
  manual_seed(0);
  io::SafetensorsFile file("golden/random.safetensors");
  auto got = fill(empty({6, 4, 3, 3})).to_vector<float>();
  auto want = Tensor(file.array(concat(name, "/output"))).to_vector<float>();
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < got.size(); ++i) ASSERT_NEAR(got[i], want[i], 2e-6) << name << " at " << i;
}

TEST(Initialisation, functions_are_pytorchs) {
  expect_filled("xavier_uniform", [](Tensor t) { return nn::init::xavier_uniform_(t, 1.5); });
  expect_filled("xavier_normal", [](Tensor t) { return nn::init::xavier_normal_(t); });
  expect_filled("kaiming_uniform",
                [](Tensor t) { return nn::init::kaiming_uniform_(t, {.nonlinearity = "relu"}); });
  expect_filled("kaiming_normal", [](Tensor t) {
    return nn::init::kaiming_normal_(t, {.mode = "fan_out", .nonlinearity = "relu"});
  });
}

}  // namespace
}  // namespace espalier::test
