#include <cmath>
#include <functional>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/espalier.h>

namespace espalier {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNan = std::numeric_limits<double>::quiet_NaN();

class Threads {
 public:
  explicit Threads(int n) : before_(get_num_threads()) { set_num_threads(n); }
  ~Threads() { set_num_threads(before_); }

 private:
  int before_;
};

Tensor channels_last(const Tensor& x) {
  Tensor y(Array::empty(x.shape(), x.dtype(), channels_last_strides(x.shape())));
  return y.copy_(x);
}

TEST(Reductions, DoNotDependOnTheNumberOfThreads) {
  manual_seed(1);
  Tensor x = randn({16, 40, 33, 35}), y = randn({3000, 7}), index = randint(50, {4000}),
         rows = randn({4000, 96});
  std::vector<std::function<Tensor()>> runs = {[&] { return x.sum(); },
                                               [&] {
                                                 return channels_last(x).sum({0, 2, 3});
                                               },
                                               [&] {
                                                 return x.sum({0, 2, 3});
                                               },
                                               [&] { return x.mean(-1); },
                                               [&] {
                                                 return x.var({0, 1});
                                               },
                                               [&] { return x.norm(); },
                                               [&] {
                                                 return x.logsumexp({1, 2});
                                               },
                                               [&] { return y.sum(0); },
                                               [&] { return x.softmax(1); },
                                               [&] { return x.log_softmax(-1); },
                                               [&] { return x.cumsum(2); },
                                               [&] {
                                                 Tensor w = zeros({50, 96}).requires_grad_();
                                                 w.index_select(0, index).backward(rows);
                                                 return w.grad();
                                               }};
  for (size_t i = 0; i < runs.size(); ++i) {
    auto at = [&](int n) {
      Threads scope(n);
      return runs[i]().to_vector<float>();
    };
    EXPECT_EQ(at(1), at(2)) << "run " << i;
    EXPECT_EQ(at(1), at(3)) << "run " << i;
  }
}

TEST(Sum, OfManyNumbersIsAccurate) {
  int64_t n = 10'000'000;
  Tensor x = full({n}, 0.1f);
  double exact = static_cast<double>(0.1f) * static_cast<double>(n);
  EXPECT_NEAR(x.sum().item<double>(), exact, exact * 2e-7);
  EXPECT_NEAR(x.reshape({n / 10, 10}).sum(0)[3].item<double>(), exact / 10, exact / 10 * 1e-6);
  EXPECT_NEAR(full({n / 10, 2}, 0.1f).t().sum(1)[1].item<double>(), exact / 10, exact / 10 * 1e-6);
}

TEST(Sum, OfBfloat16IsDoneInFloat) {
  Tensor x = ones({1000}, {.dtype = bfloat16});
  EXPECT_EQ(x.sum().item<float>(), 1000);
  EXPECT_EQ(x.sum().dtype(), bfloat16);
}

TEST(Sum, OfIntegersAndBoolsIsInt64) {
  for (DType d : {int32, uint8, boolean}) {
    Tensor y = ones({300}, {.dtype = d}).sum();
    EXPECT_EQ(y.dtype(), int64);
    EXPECT_EQ(y.item<int64_t>(), 300);
  }
}

TEST(Reductions, OfNothing) {
  Tensor none = zeros({0, 3});
  EXPECT_EQ(none.sum().item<float>(), 0);
  EXPECT_EQ(none.prod(0).to_vector<float>(), (std::vector<float>{1, 1, 1}));
  EXPECT_TRUE(std::isnan(none.mean().item<float>()));
  EXPECT_EQ(none.logsumexp(0)[0].item<double>(), -kInf);
  EXPECT_THROW(none.max(), ValueError);
  EXPECT_FALSE(none.any().item<bool>());
  EXPECT_TRUE(none.all().item<bool>());
  EXPECT_EQ(none.sum(1).shape(), Shape{0});
  EXPECT_EQ(none.amax(1).shape(), Shape{0});
}

TEST(Var, OfOneElementIsNan) {
  EXPECT_TRUE(std::isnan(ones({1}).var().item<float>()));
  EXPECT_EQ(ones({1}).var(0, 0).item<float>(), 0);
}

TEST(Var, IsRightForALargeMean) {
  Tensor x = tensor({40000., 40001., 40002., 40003.});
  EXPECT_NEAR(x.var(0, 0).item<float>(), 1.25, 1e-3);
}

TEST(Var, OfBfloat16IsDoneInFloat) {
  Tensor x = (arange(8) + 1000.0).to(bfloat16);  // 1000, 1000, 1000, 1004, …
  double want = x.to(float64).var().item<double>();
  EXPECT_NEAR(x.var().item<double>(), want, want * 4e-3);
}

TEST(NormAndStd, HaveGradientZeroAtZero) {
  Tensor x = zeros({4}).requires_grad_();
  (x.norm() + x.std()).backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>(4)));
}

TEST(Logsumexp, OfMinusInfinityHasGradientZero) {
  Tensor x = full({2, 3}, -kInf).requires_grad_();
  Tensor y = x.logsumexp(1);
  EXPECT_EQ(y[0].item<double>(), -kInf);
  y.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>(6)));
}

TEST(Logsumexp, DoesNotOverflow) {
  EXPECT_NEAR(tensor({1000., 1000.}).logsumexp(0).item<float>(), 1000 + std::log(2), 1e-3);
  EXPECT_NEAR(tensor({-1000., -1000.}).logsumexp(0).item<float>(), -1000 + std::log(2), 1e-3);
  EXPECT_EQ(tensor({1., kInf}).logsumexp(0).item<double>(), kInf);
  EXPECT_TRUE(std::isnan(tensor({1., kNan}).logsumexp(0).item<float>()));
}

TEST(Prod, OfOneZeroHasTheGradientOfTheOthers) {
  Tensor x = tensor({2., 0., 5.}).requires_grad_();
  x.prod().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 10, 0}));
  Tensor y = tensor({0., 0., 5.}).requires_grad_();
  y.prod(0).backward();
  EXPECT_EQ(y.grad().to_vector<float>(), (std::vector<float>{0, 0, 0}));
}

TEST(Max, SplitsTiesEvenlyAndTakesTheFirstAlongADimension) {
  Tensor x = tensor({{1., 3., 3.}, {3., 0., 2.}}).requires_grad_();
  x.max().backward();
  float third = 1.0f / 3;
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, third, third, third, 0, 0}));
  x.set_grad({});
  auto [values, indices] = x.max(1);
  EXPECT_EQ(indices.to_vector<int64_t>(), (std::vector<int64_t>{1, 0}));
  values.sum().backward();
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 1, 0, 1, 0, 0}));
}

TEST(Max, GivesNanWhereThereIsOne) {
  for (int64_t n : {3, 40, 1000}) {
    Tensor x = ones({n});
    x[n - 2].fill_(kNan);
    EXPECT_TRUE(std::isnan(x.max().item<float>()));
    EXPECT_TRUE(std::isnan(x.amin().item<float>()));
    EXPECT_TRUE(std::isnan(x.max(0).first.item<float>()));
    EXPECT_EQ(x.argmax().item<int64_t>(), n - 2);
    EXPECT_EQ(x.min(0).second.item<int64_t>(), n - 2);
    EXPECT_TRUE(std::isnan(x.sum().item<float>()));
  }
}

TEST(Max, OfMinusInfinityIsMinusInfinity) {
  EXPECT_EQ(full({40}, -kInf).max().item<double>(), -kInf);
  EXPECT_EQ(full({2, 3}, INT64_MIN).amax(1)[1].item<int64_t>(), INT64_MIN);
}

TEST(Argmax, CountsInRowMajorOrder) {
  EXPECT_EQ(tensor({{1., 2.}, {9., 3.}}).t().argmax().item<int64_t>(), 1);
}

TEST(AnyAndAll, TakeNanForTrue) {
  EXPECT_TRUE(tensor({0., kNan}).any().item<bool>());
  EXPECT_FALSE(tensor({0., kNan}).all().item<bool>());
  EXPECT_TRUE(tensor({0.25, 0.5}).all().item<bool>());
}

TEST(Softmax, IsSafeForLargeAndInfiniteValues) {
  Tensor x = tensor({{1000., 1001., -kInf}, {-1000., -1000., -1000.}});
  auto y = x.softmax(1).to_vector<double>();
  EXPECT_NEAR(y[1], 1 / (1 + std::exp(-1)), 1e-6);
  EXPECT_EQ(y[2], 0);
  EXPECT_NEAR(y[3], 1.0 / 3, 1e-6);
  EXPECT_EQ(x.log_softmax(1)[0][2].item<double>(), -kInf);
  EXPECT_TRUE(std::isnan(full({2}, -kInf).softmax(0)[0].item<float>()));
}

TEST(Softmax, OfFloatsIsWithinRoundingsOfTheExactValue) {
  for (double x = 0; x < 80; x += 0.37) {
    double want = 1 / (1 + std::exp(static_cast<double>(static_cast<float>(x))));
    double got = tensor({0., -x}).softmax(0)[1].item<double>();
    EXPECT_NEAR(got / want, 1, 4e-7) << x;
  }
}

TEST(Softmax, IsTheSameForEveryOrderInMemory) {
  manual_seed(2);
  Tensor x = randn({2, 21, 5, 7});
  auto want = x.softmax(1).to_vector<float>();
  auto got = channels_last(x).softmax(1).to_vector<float>();
  auto strided = x.transpose(2, 3).contiguous().transpose(2, 3).softmax(1).to_vector<float>();
  for (size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], 1e-6);
    EXPECT_NEAR(strided[i], want[i], 1e-6);
  }
  EXPECT_TRUE(channels_last(x).softmax(1).array().is_channels_last());
  Tensor narrow = x.to(bfloat16).softmax(1);
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(narrow.to_vector<float>()[i], want[i], 1e-2);
}

}  // namespace
}  // namespace espalier
