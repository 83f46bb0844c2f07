#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/matmul.h>

#include <gtest/gtest.h>

#include <ops/distance.h>

namespace espalier {
namespace {

Tensor transposed(const Tensor& x) { return x.transpose(-2, -1).contiguous().transpose(-2, -1); }
Tensor with_gaps(const Tensor& x) {
  Shape wide = x.shape();
  wide[x.dim() - 1] *= 3;
  wide[x.dim() - 2] *= 2;
  Tensor view = zeros(wide, {.dtype = x.dtype()}).slice(-1, 0, {}, 3).slice(-2, 0, {}, 2);
  return view.copy_(x);
}

struct Case {
  Shape a, b;
};
const Case cases[] = {
    {{1, 1}, {1, 1}},     {{7, 1}, {1, 5}},         {{1, 300}, {300, 7}},      {{5, 3}, {3, 1}},
    {{67, 33}, {33, 49}}, {{64, 3001}, {3001, 10}}, {{10, 64}, {64, 3001}},    {{130, 270}, {270, 300}},
    {{4, 9, 5}, {5, 17}}, {{3, 9, 5}, {3, 5, 6}},   {{2, 1, 9, 5}, {3, 5, 6}}, {{9, 5}, {4, 5, 6}},
};

TEST(Matmul, EveryDtypeAgreesWithFloat64InEveryOrderOfMemory) {
  manual_seed(1);
  for (const Case& c : cases) {
    Tensor a = randn(c.a, {.dtype = float64}), b = randn(c.b, {.dtype = float64});
    Tensor right = matmul(a.reshape(c.a), b);
    for (DType d : {float64, float32, bfloat16}) {
      double tolerance = d == float64 ? 1e-14 : d == float32 ? 3e-6 : 2e-2;
      for (auto order_a : {+[](const Tensor& t) { return t; }, transposed, with_gaps}) {
        for (auto order_b : {+[](const Tensor& t) { return t; }, transposed, with_gaps}) {
          Tensor y = matmul(order_a(a.to(d)), order_b(b.to(d)));
          EXPECT_LT(distance(y, right), tolerance) << to_string(c.a) << to_string(c.b) << name(d);
        }
      }
    }
  }
}

TEST(Matmul, ExpandedOperandsAreReadInPlace) {
  for (DType d : {float64, float32, bfloat16}) {
    Tensor a = arange(3, {.dtype = d}).reshape({1, 3}).expand({4, 3}),
           b = arange(3, {.dtype = d}).reshape({3, 1}).expand({3, 2});
    EXPECT_EQ(matmul(a, b).to_vector<double>(), std::vector<double>(8, 5.0));
    Tensor batch = arange(6, {.dtype = d}).reshape({1, 2, 3}).expand({5, 2, 3});
    EXPECT_EQ(matmul(batch, batch.transpose(1, 2)).select(0, 4).to_vector<double>(),
              (std::vector<double>{5, 14, 14, 50}));
  }
}

TEST(Matmul, DoesNotDependOnTheNumberOfThreads) {
  int before = get_num_threads();
  std::vector<Case> all(std::begin(cases), std::end(cases));
  all.push_back({{64, 32768}, {32768, 10}});  // the seed CNN's, and its gradients
  all.push_back({{64, 10}, {10, 32768}});
  all.push_back({{10, 64}, {64, 32768}});
  for (const Case& c : all) {
    Tensor a = randn(c.a), b = randn(c.b);
    set_num_threads(1);
    auto one = matmul(a, b).to_vector<float>();
    set_num_threads(2);
    EXPECT_EQ(matmul(a, b).to_vector<float>(), one) << to_string(c.a) << to_string(c.b);
  }
  set_num_threads(before);
}

TEST(Matmul, ARowOfAProductInFloat64DoesNotDependOnTheOthers) {
  Tensor a = randn({100, 600}, {.dtype = float64}), b = randn({600, 50}, {.dtype = float64});
  EXPECT_EQ(matmul(a, b).select(0, 71).to_vector<float>(), matmul(a.narrow(0, 71, 1), b).to_vector<float>());
}

TEST(Matmul, IntegersAreExact) {
  Tensor a = tensor({{(int64_t{1} << 53) + 1, int64_t{1}}}), b = tensor({{int64_t{1}}, {int64_t{1}}});
  EXPECT_EQ(matmul(a, b).item<int64_t>(), (int64_t{1} << 53) + 2);
  EXPECT_THROW(matmul(ones({2, 2}, {.dtype = boolean}), ones({2, 2}, {.dtype = boolean})), DTypeError);
}

TEST(Linear, AddsItsBiasInEveryDtype) {
  manual_seed(2);
  Tensor x = randn({3, 5, 7}, {.dtype = float64}), w = randn({4, 7}, {.dtype = float64}),
         b = randn({4}, {.dtype = float64});
  Tensor right = matmul(x, w.t()) + b;
  for (DType d : {float64, float32, bfloat16}) {
    double tolerance = d == float64 ? 1e-14 : d == float32 ? 3e-6 : 2e-2;
    EXPECT_LT(distance(linear(x.to(d), w.to(d), b.to(d)), right), tolerance) << name(d);
    EXPECT_LT(distance(linear(x.to(d), transposed(w.to(d)), b.to(d)), right), tolerance) << name(d);
  }
}

}  // namespace
}  // namespace espalier
