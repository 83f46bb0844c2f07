#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include <espalier/core/threads.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/arithmetic.h>
#include <espalier/ops/comparison.h>
#include <espalier/ops/copy.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/math.h>
#include <espalier/ops/power.h>
#include <espalier/ops/select.h>

// What elementwise operations do at the points where others went wrong.
namespace espalier {
namespace {

using Doubles = std::vector<double>;
constexpr double kInf = INFINITY;

Doubles values(const Tensor& x) { return x.to_vector<double>(); }

// The gradient of the sum of f(x) at `x`.
template <class F>
Doubles gradient(F&& f, Doubles at) {
  Tensor x = tensor(at).requires_grad_();
  Tensor y = f(x);
  y.backward(ones_like(y));
  return values(x.grad());
}

TEST(Semantics, NaNPassesThroughExtremesAndActivations) {
  for (DType d : {float32, float64, bfloat16}) {
    Tensor x = tensor({double(NAN)}, {.dtype = d}), one = ones({1}, {.dtype = d});
    for (const Tensor& y : {x.relu(),      x.maximum(one), one.maximum(x), x.minimum(one), one.minimum(x),
                            x.clamp(0, 1), relu6(x),       leaky_relu(x),  elu(x),         gelu(x),
                            silu(x),       softplus(x),    x.sigmoid(),    x.tanh(),       x.exp(),
                            x.log(),       x.erf(),        x.abs(),        x.expm1(),      x.log1p()}) {
      EXPECT_TRUE(y.isnan().item<bool>()) << name(d);
    }
  }
  EXPECT_FALSE(tensor({double(NAN)}).eq(tensor({double(NAN)})).item<bool>());
}

TEST(Semantics, PowersAtZeroHaveFiniteGradients) {
  EXPECT_EQ(gradient([](const Tensor& x) { return x.pow(0); }, {0, 1}), (Doubles{0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return x.pow(tensor({0., 0.})); }, {0, 1}), (Doubles{0, 0}));
  EXPECT_EQ(gradient([](const Tensor& e) { return pow(tensor({0., 0.}), e); }, {0, 2}), (Doubles{0, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return x.pow(1); }, {0}), (Doubles{1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return x.abs(); }, {0, -2}), (Doubles{0, -1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return x.sqrt(); }, {0}), (Doubles{kInf}));
}

TEST(Semantics, TiesShareTheGradientEvenly) {
  Tensor a = tensor({1., 2., 3.}, {.requires_grad = true}), b = tensor({1., 3., 2.}, {.requires_grad = true});
  a.maximum(b).backward(ones({3}));
  EXPECT_EQ(values(a.grad()), (Doubles{0.5, 0, 1}));
  EXPECT_EQ(values(b.grad()), (Doubles{0.5, 1, 0}));
}

TEST(Semantics, GradientsAtTheKinksAreAsInPyTorch) {
  EXPECT_EQ(gradient([](const Tensor& x) { return x.relu(); }, {-1, 0, 1}), (Doubles{0, 0, 1}));
  EXPECT_EQ(gradient([](const Tensor& x) { return x.clamp(-1, 1); }, {-2, -1, 0, 1, 2}),
            (Doubles{0, 1, 1, 1, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return hardtanh(x); }, {-1, 0, 1}), (Doubles{0, 1, 0}));
  EXPECT_EQ(gradient([](const Tensor& x) { return leaky_relu(x, 0.5); }, {-1, 0, 1}), (Doubles{0.5, 0.5, 1}));
}

TEST(Semantics, RoundingAndRemainders) {
  EXPECT_EQ(values(tensor({0.5, 1.5, 2.5, -0.5, -1.5}).round()), (Doubles{0, 2, 2, -0.0, -2}));
  EXPECT_EQ(values(tensor({-7, 7, -7, 7}).floor_divide(tensor({2, 2, -2, -2}))), (Doubles{-4, 3, 3, -4}));
  EXPECT_EQ(values(tensor({-7, 7, -7, 7}).remainder(tensor({3, 3, -3, -3}))), (Doubles{2, 1, -1, -2}));
  EXPECT_EQ(values(tensor({-7., 7., 1.}).remainder(tensor({3., -3., 0.1}, {.dtype = float64}))).front(), 2);
  EXPECT_EQ(tensor({1.0}, {.dtype = float64}).floor_divide(0.1).item<double>(), 9);
  EXPECT_EQ(values(tensor({1., -1.}).floor_divide(0.0)), (Doubles{kInf, -kInf}));
  EXPECT_EQ(tensor({INT64_MIN}).floor_divide(-1).item<int64_t>(), INT64_MIN);
  EXPECT_EQ(tensor({INT64_MIN}).abs().item<int64_t>(), INT64_MIN);
}

TEST(Semantics, PowersOfIntegersAreExact) {
  EXPECT_EQ(tensor({3}).pow(39).item<int64_t>(), 4052555153018976267);
  EXPECT_EQ(tensor({3}).pow(2).dtype(), int64);
  EXPECT_EQ(tensor({4}).pow(0.5).dtype(), float32);
  EXPECT_THROW(tensor({2}).pow(-1), ValueError);
  EXPECT_THROW(tensor({2}).pow(tensor({-1})), ValueError);
}

TEST(Semantics, FunctionsOfIntegersGiveFloat32) {
  Tensor i = tensor({1, 4});
  EXPECT_EQ(i.sqrt().dtype(), float32);
  EXPECT_EQ(values(i.sqrt()), (Doubles{1, 2}));
  EXPECT_EQ(i.floor().dtype(), int64);
  EXPECT_EQ(i.square().dtype(), int64);
  EXPECT_EQ(i.clamp(0, 2.5).dtype(), float32);
  EXPECT_EQ(values(i.clamp({}, 2)), (Doubles{1, 2}));
  EXPECT_EQ(where(i > 1, i, 0).dtype(), int64);
  EXPECT_EQ(where(i > 1, ones({2}), 0).dtype(), float32);
  EXPECT_EQ(lerp(i, i, 0.5).dtype(), float32);
}

TEST(Semantics, ComparisonsOfLargeIntegersAreExact) {
  int64_t big = int64_t{1} << 53;
  EXPECT_FALSE(tensor({big}).eq(tensor({big + 1})).item<bool>());
  EXPECT_TRUE(tensor({2}).gt(1.5).item<bool>());
  EXPECT_TRUE(tensor({200}, {.dtype = uint8}).gt(-1).item<bool>());
}

TEST(Semantics, ConversionsCutTowardsZeroAndWrap) {
  EXPECT_EQ(values(tensor({-1.7, 1.7}).to(int64)), (Doubles{-1, 1}));
  EXPECT_EQ(values(tensor({257, -1}).to(uint8)), (Doubles{1, 255}));
  EXPECT_EQ(values(tensor({0.0, 0.1, double(NAN)}).to(boolean)), (Doubles{0, 1, 1}));
  EXPECT_EQ(values(tensor({1.00390625, 1.01171875}).to(bfloat16)), (Doubles{1, 1.015625}));  // ties to even
  Tensor x = ones({2});
  EXPECT_TRUE(x.to(float32).is_same(x));
  EXPECT_TRUE(x.contiguous().is_same(x));
}

TEST(Semantics, GradientsPassAConversion) {
  Tensor x = ones({2}, {.dtype = float64, .requires_grad = true});
  Tensor y = x.to(bfloat16) * 3;
  y.backward(ones_like(y));
  EXPECT_EQ(x.grad().dtype(), float64);
  EXPECT_EQ(values(x.grad()), (Doubles{3, 3}));
  EXPECT_FALSE(x.to(int64).requires_grad());
}

// Largest distance of f from the correctly rounded result, in units in the last place.
double worst_ulp(Tensor (*f)(const Tensor&), double (*exact)(double), float low, float high) {
  int64_t n = 200'001;
  Tensor x = linspace(low, high, n);
  auto at = x.to_vector<float>(), got = f(x).to_vector<float>();
  double worst = 0;
  for (int64_t i = 0; i < n; ++i) {
    double want = exact(at[i]);
    int e;
    std::frexp(want, &e);
    worst = std::max(worst, std::fabs(got[i] - want) / std::ldexp(1.0, std::max(e, -125) - 24));
  }
  return worst;
}

TEST(Semantics, FloatFunctionsAreWithinTwoUlp) {
  EXPECT_LE(worst_ulp(exp, std::exp, -87, 88), 2);
  EXPECT_LE(worst_ulp(expm1, std::expm1, -20, 88), 2);
  EXPECT_LE(worst_ulp(expm1, std::expm1, -1e-3f, 1e-3f), 2);
  EXPECT_LE(worst_ulp(log, std::log, 1e-30f, 4), 2);
  EXPECT_LE(worst_ulp(log1p, std::log1p, -0.99f, 4), 2);
  EXPECT_LE(worst_ulp(tanh, std::tanh, -10, 10), 2);
  EXPECT_LE(worst_ulp(erf, std::erf, -5, 5), 2);
  EXPECT_LE(worst_ulp(
                sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }, -80, 80),
            3);
}

TEST(Semantics, LimitsOfFloatFunctions) {
  auto at = [](Tensor (*f)(const Tensor&), double x) { return f(tensor({x})).item<double>(); };
  EXPECT_EQ(at(exp, kInf), kInf);
  EXPECT_EQ(at(exp, -kInf), 0);
  EXPECT_EQ(at(exp, 89), kInf);
  EXPECT_EQ(at(log, 0), -kInf);
  EXPECT_TRUE(std::isnan(at(log, -1)));
  EXPECT_EQ(at(log, kInf), kInf);
  EXPECT_EQ(at(log1p, -1), -kInf);
  EXPECT_EQ(at(expm1, -kInf), -1);
  EXPECT_EQ(at(expm1, kInf), kInf);
  EXPECT_EQ(at(tanh, kInf), 1);
  EXPECT_EQ(at(erf, -kInf), -1);
  EXPECT_EQ(at(sigmoid, -kInf), 0);
}

TEST(Semantics, AValueDoesNotDependOnItsPlaceNorOnTheNumberOfThreads) {
  Tensor x = linspace(-3, 3, 70'001);
  for (auto f : {exp, tanh, erf, silu, expm1, sin}) {
    auto all = f(x).to_vector<float>();
    int threads = get_num_threads();
    set_num_threads(1);
    EXPECT_EQ(f(x).to_vector<float>(), all);
    set_num_threads(threads);
    for (int64_t i : {0, 1, 33'333, 65'536, 70'000}) {
      EXPECT_EQ(f(tensor({double(x.to_vector<float>()[i])})).item<float>(), all[i]);
    }
    Tensor strided(x.array().view({35'000}, {2}, 1));
    EXPECT_EQ(f(strided).to_vector<float>()[77], all[155]);
  }
}

}  // namespace
}  // namespace espalier
