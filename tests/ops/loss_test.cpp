#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/loss.h>

namespace espalier {
namespace {

std::string error_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const IndexError& e) {
    return e.what();
  }
  return "no IndexError";
}

Tensor labels(std::vector<int64_t> values) { return tensor(values); }

TEST(CrossEntropy, OfLargeLogitsIsExact) {
  Tensor x = tensor({{1e4, 1e4 - 1}, {-1e4, 0.0}}).requires_grad_();
  Tensor loss = cross_entropy(x, labels({0, 1}), {.reduction = Reduction::sum});
  EXPECT_NEAR(loss.item<double>(), std::log1p(std::exp(-1)), 1e-6);
  loss.backward();
  auto g = x.grad().to_vector<double>();
  EXPECT_NEAR(g[1], 1 / (1 + std::exp(1)), 1e-6);
  EXPECT_EQ(g[2], 0);
}

TEST(CrossEntropy, OfAnImpossibleClassIsInfinite) {
  float inf = std::numeric_limits<float>::infinity();
  EXPECT_EQ(cross_entropy(tensor({{0.f, -inf}}), labels({1})).item<float>(), inf);
  EXPECT_FLOAT_EQ(cross_entropy(tensor({{0.f, -inf}}), labels({0})).item<float>(), 0);
}

TEST(CrossEntropy, KeepsNaN) {
  Tensor x = ones({2, 40}, {.requires_grad = true});
  x.array().data<float>()[50] = NAN;
  Tensor loss = cross_entropy(x, labels({0, 1}));
  EXPECT_TRUE(std::isnan(loss.item<float>()));
  loss.backward();
  EXPECT_FALSE(std::isnan(x.grad().to_vector<float>()[39]));
  EXPECT_TRUE(std::isnan(x.grad().to_vector<float>()[40]));
}

TEST(CrossEntropy, OfIgnoredLabelsAloneIsNaNInTheMeanAndZeroInTheSum) {
  for (Tensor weight : {Tensor(), ones({3})}) {
    Tensor x = randn({2, 3}, {.requires_grad = true}), target = labels({-100, -100});
    EXPECT_TRUE(std::isnan(cross_entropy(x, target, {.weight = weight}).item<float>()));
    Tensor sum = cross_entropy(x, target, {.weight = weight, .reduction = Reduction::sum});
    EXPECT_EQ(sum.item<float>(), 0);
    sum.backward();
    EXPECT_EQ(x.grad().to_vector<float>(), std::vector<float>(6, 0));
  }
}

TEST(CrossEntropy, NamesALabelOutOfRange) {
  EXPECT_EQ(
      error_of([] {
        cross_entropy(zeros({3, 10}), labels({1, 2, 10}));
      }),
      "cross_entropy: label 10 at position [2] is outside of the 10 classes 0 to 9 (ignore_index is -100)");
  EXPECT_EQ(
      error_of([] {
        nll_loss(zeros({1, 4, 2, 2}), tensor({{{0, 1}, {-1, 3}}}));
      }),
      "nll_loss: label -1 at position [0, 1, 0] is outside of the 4 classes 0 to 3 (ignore_index is -100)");
}

TEST(CrossEntropy, DoesNotReadLabelsWhenOnlyShapesAreWanted) {
  ShapesOnly scope;
  Tensor x = zeros({3, 10}), target = zeros({3}, {.dtype = int64});
  EXPECT_EQ(cross_entropy(x, target).shape(), Shape());
  EXPECT_EQ(cross_entropy(x, target, {.weight = ones({10}), .label_smoothing = 0.1}).shape(), Shape());
  EXPECT_EQ(nll_loss(x, target, {.reduction = Reduction::none}).shape(), Shape({3}));
}

TEST(CrossEntropy, InOnePassIsThatOfItsParts) {
  for (DType dtype : {float32, float64, bfloat16}) {
    double tolerance = dtype == float64 ? 1e-13 : dtype == float32 ? 2e-6 : 2e-2;
    for (Shape shape : {Shape{64, 10}, Shape{7, 100}, Shape{3, 33, 5, 4}}) {
      Tensor a = (randn(shape) * 3).to(dtype).detach().requires_grad_(),
             b = a.clone().detach().requires_grad_();
      Shape rest = shape;
      rest.erase(1);
      Tensor target = randint(shape[1], rest);
      Tensor one = cross_entropy(a, target), parts = nll_loss(b.log_softmax(1), target);
      EXPECT_NEAR(one.item<double>(), parts.item<double>(), tolerance * 4);
      one.backward();
      parts.backward();
      auto g = a.grad().to_vector<double>(), h = b.grad().to_vector<double>();
      for (size_t i = 0; i < g.size(); ++i)
        ASSERT_NEAR(g[i], h[i], tolerance / rest.numel()) << name(dtype) << i;
    }
  }
}

TEST(CrossEntropy, OfAChannelsLastImageKeepsItsOrder) {
  Tensor x(Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5})));
  x.fill_(0.5).requires_grad_();
  cross_entropy(x, zeros({2, 4, 5}, {.dtype = int64})).backward();
  EXPECT_TRUE(x.grad().array().is_channels_last());
  EXPECT_NEAR(x.grad().to_vector<float>()[0], (1.0 / 3 - 1) / 40, 1e-7);
}

TEST(CrossEntropy, IsTheSameForAnyNumberOfThreads) {
  Tensor x = randn({5000, 37}), target = randint(37, {5000});
  int threads = get_num_threads();
  set_num_threads(1);
  float one = cross_entropy(x, target).item<float>();
  set_num_threads(3);
  EXPECT_EQ(cross_entropy(x, target).item<float>(), one);
  set_num_threads(threads);
}

TEST(CrossEntropy, RefusesABackwardAfterItsTargetChanged) {
  Tensor x = randn({2, 3}, {.requires_grad = true}), target = labels({0, 1});
  Tensor loss = cross_entropy(x, target);
  target.fill_(2);
  EXPECT_THROW(loss.backward(), GradError);
}

TEST(BinaryCrossEntropyWithLogits, IsExactFarFromZeroAndAtZero) {
  Tensor x = tensor({-1000.0, -30.0, 0.0, 30.0, 1000.0}, {.dtype = float64, .requires_grad = true});
  Tensor target = tensor({0.0, 0.0, 1.0, 1.0, 0.0}, {.dtype = float64});
  Tensor y = binary_cross_entropy_with_logits(x, target, {.reduction = Reduction::none});
  double tiny = std::log1p(std::exp(-30));
  std::vector<double> wanted = {0, tiny, std::log(2), tiny, 1000};
  auto got = y.to_vector<double>();
  for (size_t i = 0; i < wanted.size(); ++i) EXPECT_DOUBLE_EQ(got[i], wanted[i]) << i;
  y.sum().backward();
  auto g = x.grad().to_vector<double>();
  EXPECT_EQ(g[0], 0);
  EXPECT_DOUBLE_EQ(g[2], -0.5);
  EXPECT_EQ(g[4], 1);
}

TEST(L1Loss, HasNoGradientWhereBothAreEqual) {
  Tensor x = ones({2}, {.requires_grad = true});
  l1_loss(x, tensor({1.f, 0.f})).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 0.5}));
}

}  // namespace
}  // namespace espalier
