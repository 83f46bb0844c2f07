#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/norm.h>

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace espalier {
namespace {

using Floats = std::vector<float>;

double distance(const Tensor& a, const Tensor& b) {
  auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double most = 0;
  for (size_t i = 0; i < x.size(); ++i) most = std::max(most, std::abs(x[i] - y[i]));
  return x.size() == y.size() ? most : 1;
}

Tensor channels_last(const Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2}); }

TEST(LayerNorm, IsExactFarFromZero) {  // pytorch/pytorch#51102
  auto v = layer_norm(tensor({40000.f, 40001.f, 40002.f, 40003.f}), {4}).to_vector<double>();
  double right[] = {-1.3416, -0.4472, 0.4472, 1.3416};
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(v[i], right[i], 1e-3);
  Tensor x = (randn({3, 50}, {.dtype = float64}) + 40000.0).to(float32);
  EXPECT_LT(distance(layer_norm(x, {50}), layer_norm(x.to(float64), {50})), 1e-5);
}

TEST(BatchNorm, IsExactFarFromZero) {
  for (const Shape& shape : {Shape{64, 5}, Shape{4, 5, 4, 4}, Shape{4, 5, 16}}) {
    Tensor x = randn(shape, {.dtype = float64}) + 40000.0;
    Tensor exact = x.to(float32).to(float64);
    Tensor right = batch_norm(exact, {}, {}, {}, {}, {.training = true});
    EXPECT_LT(distance(batch_norm(x.to(float32), {}, {}, {}, {}, {.training = true}), right), 1e-5)
        << to_string(shape);
  }
}

TEST(BatchNorm, MovesTheRunningStatistics) {
  Tensor mean = zeros({1}), var = ones({1}), x = tensor({1.f, 2.f, 3.f, 6.f}).reshape({4, 1});
  batch_norm(x, {}, {}, mean, var, {.training = true, .momentum = 0.5});
  EXPECT_FLOAT_EQ(mean.item<float>(), 1.5f);                              // of 3
  EXPECT_FLOAT_EQ(var.item<float>(), 0.5f + 0.5f * (4 + 1 + 0 + 9) / 3);  // unbiased
  batch_norm(x, {}, {}, mean, var);
  EXPECT_FLOAT_EQ(mean.item<float>(), 1.5f);
}

TEST(BatchNorm, OneValueAChannelIsRefusedAndChangesNothing) {  // pytorch/pytorch#4534
  Tensor mean = zeros({3}), var = ones({3});
  EXPECT_THROW(batch_norm(ones({1, 3, 1, 1}), {}, {}, mean, var, {.training = true}), ShapeError);
  EXPECT_THROW(batch_norm(ones({0, 3}), {}, {}, mean, var, {.training = true}), ShapeError);
  EXPECT_EQ(mean.to_vector<float>(), Floats(3, 0));
  EXPECT_EQ(var.to_vector<float>(), Floats(3, 1));
}

TEST(BatchNorm, IsTheSameInEveryOrderOfMemoryAndForEveryNumberOfThreads) {
  int before = get_num_threads();
  Tensor x = randn({5, 70, 13, 11}), w = randn({70}), b = randn({70}), g = randn(x.shape());
  auto all = [&](const Tensor& in, const Tensor& gradient) {
    Tensor x = in.detach().requires_grad_(), weight = w.detach().requires_grad_(),
           bias = b.detach().requires_grad_();
    Tensor y = batch_norm(x, weight, bias, {}, {}, {.training = true});
    auto out = grad(y, {x, weight, bias}, {.grad_outputs = {gradient}});
    out.push_back(y);
    return out;
  };
  auto plain = all(x, g), last = all(channels_last(x), channels_last(g));
  EXPECT_TRUE(last[3].array().is_channels_last());
  EXPECT_TRUE(last[0].array().is_channels_last());
  for (size_t i = 0; i < plain.size(); ++i) EXPECT_LT(distance(plain[i], last[i]), 1e-4) << i;
  set_num_threads(1);
  auto one = all(channels_last(x), g);
  set_num_threads(2);
  auto two = all(channels_last(x), g);
  for (size_t i = 0; i < one.size(); ++i)
    EXPECT_EQ(one[i].to_vector<float>(), two[i].to_vector<float>()) << i;
  set_num_threads(before);
}

TEST(BatchNorm, TheFusedBackwardIsTheComposedOne) {
  manual_seed(0);
  for (DType d : {float64, float32, bfloat16}) {
    double tolerance = d == float64 ? 1e-12 : d == float32 ? 1e-5 : 0.1;
    Tensor x = randn({6, 4, 3, 3}, {.dtype = d, .requires_grad = true}),
           w = randn({4}, {.dtype = d, .requires_grad = true});
    Tensor g = randn(x.shape(), {.dtype = d});
    Tensor y = batch_norm(x, w, {}, {}, {}, {.training = true});
    auto fused = grad(y, {x, w}, {.grad_outputs = {g}, .retain_graph = true});
    auto composed = grad(y, {x, w}, {.grad_outputs = {g}, .create_graph = true});
    EXPECT_EQ(fused[0].dtype(), d);
    for (int i = 0; i < 2; ++i) EXPECT_LT(distance(fused[i], composed[i]), tolerance) << name(d);
  }
}

TEST(LayerNorm, TheFusedBackwardIsTheComposedOne) {
  manual_seed(0);
  for (DType d : {float64, float32, bfloat16}) {
    double tolerance = d == float64 ? 1e-12 : d == float32 ? 1e-5 : 0.1;
    Tensor x = randn({7, 100}, {.dtype = d, .requires_grad = true}),
           w = randn({100}, {.dtype = d, .requires_grad = true});
    Tensor g = randn(x.shape(), {.dtype = d});
    Tensor y = layer_norm(x, {100}, w, {});
    auto fused = grad(y, {x, w}, {.grad_outputs = {g}, .retain_graph = true});
    auto composed = grad(y, {x, w}, {.grad_outputs = {g}, .create_graph = true});
    for (int i = 0; i < 2; ++i) EXPECT_LT(distance(fused[i], composed[i]), tolerance) << name(d);
  }
}

}  // namespace
}  // namespace espalier
