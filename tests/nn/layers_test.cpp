#include <gtest/gtest.h>

#include <algorithm>

#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>

#include "error_of.h"

namespace espalier::test {
namespace {

struct Cnn : nn::Module<Cnn> {
  nn::Conv2d conv{3, 32, 3, {.padding = 1}};
  nn::ReLU relu;
  nn::MaxPool2d pool{2};
  nn::Linear fc{32 * 32 * 32, 10};
  Tensor forward(const Tensor& x) { return fc(pool(relu(conv(x))).flatten(1)); }
};

TEST(Layers, error_says_where_what_and_what_came_from_where) {
  Cnn model;
  EXPECT_EQ(error_of([&] {
              model(zeros({2, 3, 32, 32}));
            }),
            "fc (Linear): expected 32768 input features, got 8192; the input is [2, 8192], from flatten of "
            "max_pool2d "
            "[2, 32, 16, 16]");
  EXPECT_EQ(error_of([&] {
              model(zeros({2, 1, 32, 32}));
            }),
            "conv (Conv2d): expected 3 input channels, got 1; the input is [2, 1, 32, 32]");
  EXPECT_EQ(error_of([&] {
              model(zeros({32, 32}));
            }),
            "conv (Conv2d): expected an input of 3 to 4 dimensions, got 2; the input is [32, 32]");
}

TEST(Layers, refuse_settings_that_make_no_sense) {
  EXPECT_EQ(error_of([] { nn::Linear{-1, 2}; }), "Linear: in_features must be at least 0, got -1");
  EXPECT_EQ(error_of([] {
              nn::Conv2d{3, 4, 3, {.groups = 2}};
            }),
            "Conv2d: 3 and 4 channels can't be divided into 2 groups");
  EXPECT_THROW(nn::Conv2d(3, 4, 0), ValueError);
  EXPECT_THROW(nn::Conv2d(3, 4, 3, {.stride = 0}), ValueError);
  EXPECT_THROW(nn::Dropout(1.5), ValueError);
  EXPECT_THROW(nn::Embedding(3, 2, {.padding_idx = 3}), ValueError);
  EXPECT_THROW(nn::BatchNorm2d(0), ValueError);
  EXPECT_THROW(nn::LayerNorm(Shape{}), ValueError);
}

TEST(Linear, takes_no_features) {
  nn::Linear none{0, 3};
  EXPECT_EQ(none(zeros({2, 0})).shape(), Shape({2, 3}));
}

TEST(BatchNorm, learns_running_statistics_while_training_only) {
  nn::BatchNorm1d norm(2);
  norm(tensor({{1., 2.}, {3., 6.}}));
  EXPECT_EQ(norm.num_batches_tracked.item<int64_t>(), 1);
  auto mean = norm.running_mean.to_vector<double>(), var = norm.running_var.to_vector<double>();
  EXPECT_NEAR(mean[0], 0.2, 1e-6);
  EXPECT_NEAR(var[1], 0.9 + 0.1 * 8, 1e-6);  // unbiased
  norm.eval();
  norm(tensor({{1., 2.}, {3., 6.}}));
  EXPECT_EQ(norm.num_batches_tracked.item<int64_t>(), 1);
}

TEST(BatchNorm, refuses_a_single_value_a_channel_and_stays_as_it_is) {
  nn::BatchNorm2d norm(2);
  EXPECT_THROW(norm(ones({1, 2, 1, 1})), Error);
  EXPECT_EQ(norm.num_batches_tracked.item<int64_t>(), 0);
  EXPECT_EQ(norm.running_mean.to_vector<float>(), (std::vector<float>{0, 0}));
}

TEST(BatchNorm, without_momentum_keeps_the_mean_of_all_batches) {
  nn::BatchNorm1d norm(1, {.momentum = std::nullopt});
  norm(tensor({{0.}, {2.}}));
  norm(tensor({{2.}, {4.}}));
  EXPECT_NEAR(norm.running_mean.item<double>(), 2, 1e-6);
}

TEST(BatchNorm, has_pytorchs_state) {
  std::vector<std::string> names;
  nn::BatchNorm2d norm(3);
  for (auto& [name, value] : norm.state_dict()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"weight", "bias", "running_mean", "running_var",
                                             "num_batches_tracked"}));
  EXPECT_TRUE(nn::BatchNorm2d(3, {.affine = false, .track_running_stats = false}).state_dict().empty());
}

TEST(Dropout, zeroes_its_share_while_training) {
  manual_seed(1);
  nn::Dropout dropout{0.25};
  auto values = dropout(ones({10000})).to_vector<float>();
  double zeros = std::count(values.begin(), values.end(), 0.f) / 10000.0;
  EXPECT_NEAR(zeros, 0.25, 0.02);
  EXPECT_NEAR(*std::max_element(values.begin(), values.end()), 4.0 / 3, 1e-6);
  dropout.eval();
  EXPECT_EQ(dropout(ones({3})).to_vector<float>(), (std::vector<float>{1, 1, 1}));
}

TEST(Embedding, starts_its_padding_row_as_zeros) {
  nn::Embedding table(4, 3, {.padding_idx = -1});
  EXPECT_EQ(*table.padding_idx, 3);
  EXPECT_EQ(table.weight.detach().select(0, 3).to_vector<float>(), (std::vector<float>{0, 0, 0}));
}

TEST(Losses, are_modules_too) {
  Tensor x = tensor({{1., 2.}, {0., 1.}}), labels = tensor({1, 0});
  nn::CrossEntropyLoss criterion{.label_smoothing = 0.1};
  EXPECT_NEAR(criterion(x, labels).item<double>(),
              nn::cross_entropy(x, labels, {.label_smoothing = 0.1}).item<double>(), 1e-12);
  EXPECT_EQ(nn::NLLLoss{.reduction = nn::Reduction::sum}(x, labels).item<float>(), -2);
  EXPECT_EQ(nn::MSELoss{}(x, x * 2).item<float>(), 1.5f);
  EXPECT_EQ(nn::L1Loss{.reduction = nn::Reduction::sum}(x, x * 2).item<float>(), 4);
  Tensor targets = tensor({{1., 0.}, {0., 1.}}), factor = tensor({2., 3.});
  EXPECT_EQ(nn::BCEWithLogitsLoss{.pos_weight = factor}(x, targets).item<float>(),
            nn::binary_cross_entropy_with_logits(x, targets, {.pos_weight = factor}).item<float>());
  EXPECT_EQ(to_string(criterion), "CrossEntropyLoss()");
}

TEST(Losses, keep_class_weights_as_state) {
  nn::CrossEntropyLoss criterion{.weight = tensor({1., 2.})};
  EXPECT_TRUE(criterion.state_dict().contains("weight"));
  EXPECT_TRUE(nn::CrossEntropyLoss{}.state_dict().empty());
}

}  // namespace
}  // namespace espalier::test
