#include <espalier/autograd/autocast.h>
#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/loss.h>
#include <espalier/ops/matmul.h>

#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include <ops/distance.h>

namespace espalier {
namespace {

// Convolutions of several kinds, then a classifier.
struct Net {
  Tensor first = weight({16, 3, 3, 3}), second = weight({32, 16, 3, 3}), third = weight({64, 32, 1, 1});
  Tensor classifier = weight({10, 64 * 16}), bias = zeros({10}, {.requires_grad = true});

  static Tensor weight(const Shape& shape) {
    Tensor w = randn(shape) * (1 / std::sqrt(static_cast<double>(shape.numel() / shape[0])));
    return w.detach().requires_grad_();
  }
  Tensor operator()(const Tensor& x) const {
    Tensor y = conv2d(x, first, {}, {.padding = 1}).tanh();
    y = conv2d(y, second, {}, {.stride = 2, .padding = 1}).tanh();
    return linear(conv2d(y, third, {}, {.stride = 1}).tanh().flatten(1), classifier, bias);
  }
  std::vector<Tensor> parameters() const { return {first, second, third, classifier, bias}; }
};

Tensor labels(int64_t n) {
  std::vector<int64_t> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<int64_t>(i % 10);
  return tensor(values, {n});
}

std::vector<Tensor> gradients(const Net& net, const Tensor& x, bool lower) {
  for (Tensor p : net.parameters()) p.set_grad({});
  Tensor loss;
  {
    Autocast scope(bfloat16, lower);
    loss = cross_entropy(net(x), labels(x.size(0)));
  }
  EXPECT_EQ(loss.dtype(), float32);
  loss.backward();
  std::vector<Tensor> all{loss.detach()};
  for (const Tensor& p : net.parameters()) all.push_back(p.grad());
  return all;
}

TEST(Autocast, GivesWhatFloat32GivesWithinBfloat16sErrorAndFloat32Gradients) {
  manual_seed(1);
  Net net;
  Tensor x = randn({16, 3, 8, 8});
  auto lower = gradients(net, x, true), full = gradients(net, x, false);
  for (size_t i = 0; i < full.size(); ++i) {
    EXPECT_EQ(lower[i].dtype(), float32);
    EXPECT_LT(distance(lower[i], full[i]), 3e-2) << i;
    if (i > 0) {
      EXPECT_NE(lower[i].to_vector<float>(), full[i].to_vector<float>()) << i;
    }
  }
}

TEST(Autocast, TheLossFalls) {
  manual_seed(2);
  Net net;
  Tensor x = randn({16, 3, 8, 8});
  double before = gradients(net, x, true)[0].item<double>();
  for (int i = 0; i < 30; ++i) {
    auto all = gradients(net, x, true);
    NoGrad guard;
    for (size_t k = 0; k < net.parameters().size(); ++k) net.parameters()[k].sub_(all[k + 1], 0.1);
  }
  EXPECT_LT(gradients(net, x, true)[0].item<double>(), before / 2);
}

TEST(Autocast, AParameterThatIsUsedTwiceIsCastOnce) {
  Autocast scope;
  Tensor w = randn({4, 4}, {.requires_grad = true}), x = randn({2, 4});
  Tensor y = linear(linear(x, w), w);
  EXPECT_EQ(y.dtype(), bfloat16);
  y.sum().backward();
  EXPECT_EQ(w.grad().dtype(), float32);
  EXPECT_GT(w.grad().abs().sum().item<float>(), 0);
}

TEST(Autocast, GradientsMayBeAccumulatedInOneScope) {
  Autocast scope;
  Tensor w = randn({4, 4}, {.requires_grad = true}), x = randn({2, 4});
  linear(x, w).sum().backward();
  auto once = (w.grad() * 2).to_vector<float>();
  linear(x, w).sum().backward();
  EXPECT_EQ(w.grad().to_vector<float>(), once);
}

TEST(Autocast, FollowsAWeightThatChanges) {
  for (bool taped : {true, false}) {
    GradMode mode(taped);
    Autocast scope;
    Tensor w = randn({4, 4}, {.requires_grad = true}), x = randn({2, 4});
    for (int i = 0; i < 3; ++i) linear(x, w);
    auto doubled = (linear(x, w) * 2).to_vector<float>();
    {
      NoGrad guard;
      w.mul_(2);
    }
    EXPECT_EQ(linear(x, w).to_vector<float>(), doubled);
  }
}

TEST(Autocast, IsOfAScopeAndAThread) {
  Tensor x = ones({2, 2});
  EXPECT_EQ(matmul(x, x).dtype(), float32);
  Autocast scope;
  EXPECT_EQ(matmul(x, x).dtype(), bfloat16);
  {
    Autocast off(bfloat16, false);
    EXPECT_EQ(matmul(x, x).dtype(), float32);
  }
  EXPECT_EQ(matmul(x, x).dtype(), bfloat16);
  std::thread([&] { EXPECT_EQ(matmul(x, x).dtype(), float32); }).join();
}

TEST(Autocast, LeavesFloat64Alone) {
  Autocast scope;
  Tensor x = ones({2, 2}, {.dtype = float64});
  EXPECT_EQ(matmul(x, x).dtype(), float64);
}

TEST(Autocast, RefusesOtherDtypes) { EXPECT_THROW(Autocast{DType::float64}, ValueError); }

}  // namespace
}  // namespace espalier
