#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/pool.h>

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace espalier {
namespace {

constexpr double kNaN = std::numeric_limits<double>::quiet_NaN(),
                 kInf = std::numeric_limits<double>::infinity();

Tensor channels_last(const Tensor& x) { return x.permute({0, 2, 3, 1}).contiguous().permute({0, 3, 1, 2}); }

TEST(AvgPool2d, WindowsBeyondThePaddingCountTheirOwnElements) {  // pytorch/pytorch#183528
  Tensor x = arange(1, 17, 1, {.dtype = float64}).reshape({1, 1, 4, 4});
  Tensor y = avg_pool2d(x, 3, {.stride = 2, .padding = 1, .ceil_mode = true});
  auto v = y.to_vector<double>();
  std::vector<double> right{14.0 / 9, 10.0 / 3, 2, 19.0 / 3, 11, 6, 4.5, 7.5, 4};
  ASSERT_EQ(v.size(), right.size());
  for (size_t i = 0; i < v.size(); ++i) EXPECT_DOUBLE_EQ(v[i], right[i]);
}

TEST(MaxPool2d, KeepsNaNWhereverItStands) {
  Tensor x = tensor({1.0, kNaN, 3.0, 2.0, kNaN, 1.0, 5.0, 4.0}, {.dtype = float64}).reshape({1, 1, 2, 4});
  auto v = max_pool2d(x, {1, 2}).to_vector<double>();
  EXPECT_TRUE(std::isnan(v[0]));
  EXPECT_EQ(v[1], 3);
  EXPECT_TRUE(std::isnan(v[2]));
  EXPECT_EQ(v[3], 5);
}

TEST(MaxPool2d, GivesTheGradientToTheFirstOfEqualsAndOfNothingButMinusInfinity) {
  Tensor x = full({1, 1, 2, 2}, 3.0, {.dtype = float64, .requires_grad = true});
  EXPECT_EQ(grad(max_pool2d(x, 2), {x})[0].to_vector<double>(), (std::vector<double>{1, 0, 0, 0}));
  Tensor low = full({1, 1, 2, 2}, -kInf, {.dtype = float64, .requires_grad = true});
  Tensor y = max_pool2d(low, 2);
  EXPECT_EQ(y.item<double>(), -kInf);
  EXPECT_EQ(grad(y, {low})[0].to_vector<double>(), (std::vector<double>{1, 0, 0, 0}));
}

TEST(Pooling, KeepsTheOrderOfItsInputAndGivesTheSameInEach) {
  Tensor x = randn({3, 70, 9, 7}), last = channels_last(x);
  auto each = {+[](const Tensor& t) { return max_pool2d(t, 3, {.stride = 2, .padding = 1}); },
               +[](const Tensor& t) {
                 return avg_pool2d(t, {2, 3}, {.padding = 1});
               },
               +[](const Tensor& t) {
                 return adaptive_avg_pool2d(t, {4, 3});
               }};
  for (auto pool : each) {
    Tensor a = x.detach().requires_grad_(), b = last.detach().requires_grad_();
    Tensor ya = pool(a), yb = pool(b);
    EXPECT_TRUE(ya.is_contiguous());
    EXPECT_TRUE(yb.array().is_channels_last());
    EXPECT_EQ(ya.to_vector<float>(), yb.to_vector<float>());
    Tensor g = randn(ya.shape());
    Tensor ga = grad(ya, {a}, {.grad_outputs = {g}})[0], gb = grad(yb, {b}, {.grad_outputs = {g}})[0];
    EXPECT_TRUE(gb.array().is_channels_last());
    EXPECT_EQ(ga.to_vector<float>(), gb.to_vector<float>());
  }
}

TEST(Pooling, Bfloat16IsRoundedOnce) {
  Tensor x = channels_last(randn({2, 5, 8, 8})).to(bfloat16);
  Tensor exact = avg_pool2d(x.to(float32), 4);
  EXPECT_EQ(avg_pool2d(x, 4).to_vector<float>(), exact.to(bfloat16).to_vector<float>());
  EXPECT_EQ(max_pool2d(x, 2).to_vector<float>(), max_pool2d(x.to(float32), 2).to_vector<float>());
}

TEST(AvgPool2d, LeavesOutALastWindowThatBeginsInThePadding) {
  EXPECT_EQ(avg_pool2d(ones({1, 1, 9, 9}), 4, {.padding = 2, .ceil_mode = true}).shape(),
            Shape({1, 1, 3, 3}));
}

TEST(AdaptiveAvgPool2d, OfALargeImageIsAccurate) {
  Tensor x = full({1, 1, 1000, 1000}, 0.1);
  EXPECT_NEAR(adaptive_avg_pool2d(x, 1).item<float>(), 0.1f, 1e-7);
}

TEST(MaxPool2d, OfAWindowBetweenTheElementsIsMinusInfinityWithoutGradient) {
  Tensor x = ones({1, 1, 1, 1}, {.dtype = float64, .requires_grad = true});
  auto pool = [](const Tensor& x) { return max_pool2d(x, 2, {.padding = 1, .dilation = 2}); };
  EXPECT_EQ(pool(x).item<float>(), -kInf);
  Tensor g = ones({1, 1, 1, 1}, {.dtype = float64, .requires_grad = true});
  Tensor gx = grad(pool(x), {x}, {.grad_outputs = {g}, .create_graph = true})[0];
  EXPECT_EQ(gx.item<double>(), 0);
  EXPECT_EQ(grad(gx, {g})[0].item<double>(), 0);
}

TEST(Pooling, OfAKernelLargerThanTheImageWorksWithCeilMode) {
  Tensor x = arange(1.0, 5.0).reshape({1, 1, 2, 2});
  EXPECT_EQ(max_pool2d(x, 3, {.stride = 2, .ceil_mode = true}).to_vector<float>(), std::vector<float>{4});
  EXPECT_EQ(avg_pool2d(x, 3, {.stride = 2, .ceil_mode = true}).to_vector<float>(), std::vector<float>{2.5});
  EXPECT_THROW(max_pool2d(x, 4, {.stride = 1, .ceil_mode = true}), ShapeError);
}

TEST(Pooling, IsTheSameForAnyNumberOfThreads) {
  Tensor x = channels_last(randn({3, 70, 9, 8})).requires_grad_();
  int threads = get_num_threads();
  std::vector<float> first;
  for (int n : {1, 3}) {
    set_num_threads(n);
    Tensor y = max_pool2d(x, 3, {.stride = 2, .padding = 1}).square().sum() +
               avg_pool2d(x, 3, {.stride = 1}).square().sum();
    auto g = grad(y, {x})[0].to_vector<float>();
    if (first.empty()) first = g;
    EXPECT_EQ(g, first);
  }
  set_num_threads(threads);
}

}  // namespace
}  // namespace espalier
