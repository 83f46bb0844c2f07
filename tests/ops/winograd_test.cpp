#include <espalier/core/threads.h>
#include <espalier/kernels/winograd.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>

#include <gtest/gtest.h>

#include <cmath>

#include <ops/conv_problem.h>

namespace espalier {
namespace {

// |a - b| / |b|, of all elements
double distance(const Tensor& a, const Tensor& b) {
  auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double difference = 0, norm = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    difference += (x[i] - y[i]) * (x[i] - y[i]);
    norm += y[i] * y[i];
  }
  return x.size() == y.size() ? std::sqrt(difference / norm) : 1;
}

class Switch {
 public:
  explicit Switch(bool on) { set_winograd(on); }
  ~Switch() { set_winograd(before_); }

 private:
  bool before_ = winograd();
};

class Threads {
 public:
  explicit Threads(int n) { set_num_threads(n); }
  ~Threads() { set_num_threads(before_); }

 private:
  int before_ = get_num_threads();
};

struct Case {
  int64_t images, in, out, h, w;
  Pair padding = 1;
};

std::string to_string(const Case& c) {
  std::string text;
  for (int64_t n : {c.images, c.in, c.out, c.h, c.w}) text += std::to_string(n) + ' ';
  return text + to_string(c.padding);
}

// The last ones have more than one block or chunk of tiles.
const Case cases[] = {{1, 16, 16, 4, 4},         {2, 16, 32, 8, 8, 0},     {1, 48, 16, 5, 7},
                      {3, 100, 100, 6, 9},       {1, 64, 48, 3, 3},        {2, 32, 64, 1, 2},
                      {1, 17, 33, 13, 6, 0},     {2, 16, 20, 3, 5, 0},     {1, 16, 16, 7, 6, 2},
                      {2, 24, 40, 9, 5, {0, 2}}, {5, 32, 32, 18, 21},      {4, 64, 64, 29, 30, 0},
                      {2, 256, 192, 7, 8},       {21, 256, 192, 14, 13},   {1, 1, 3, 6, 6},
                      {3, 304, 300, 6, 7},       {20, 300, 304, 14, 13, 0}};

struct Problem : ConvProblem {
  explicit Problem(const Case& c)
      : ConvProblem({c.images, c.in, c.h, c.w}, {c.out, c.in, 3, 3}, {.padding = c.padding}) {}
};

// The result and the gradients of x and w, all by Winograd's algorithm whether it pays or not.
std::vector<Tensor> by_winograd(const Problem& p) {
  kernels::ConvGeometry geometry{.padding = p.options.padding};
  EXPECT_TRUE(kernels::winograd_applies(p.w.shape(), float32, geometry));
  Array x = channels_last(p.x.to(float32)).array(), g = channels_last(p.g.to(float32)).array();
  Array w = p.w.to(float32).array(), b = p.b.to(float32).array();
  Array y = Array::empty_like(g), gx = Array::empty_like(x), gw = Array::empty_like(w);
  kernels::conv2d_winograd(y, x, w, &b, geometry);
  kernels::conv2d_input_winograd(gx, w, g, geometry);
  kernels::conv2d_weight_winograd(gw, x, g, geometry);
  return {Tensor(y), Tensor(gx), Tensor(gw)};
}

TEST(Winograd, AgreesWithFloat64InAllPasses) {
  for (const Case& c : cases) {
    Problem p(c);
    Tensor right[] = {conv2d(p.x, p.w, p.b, p.options), conv2d_input(p.x.shape(), p.w, p.g, p.options),
                      conv2d_weight(p.x, p.w.shape(), p.g, p.options)};
    auto got = by_winograd(p);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LT(distance(got[i], right[i]), 1e-5) << to_string(c) << " pass " << i;
    }
  }
}

TEST(Winograd, DoesNotDependOnTheNumberOfThreads) {
  for (const Case& c : cases) {
    Problem p(c);
    std::vector<std::vector<float>> results[4];
    for (int threads : {1, 2, 3, 4}) {
      Threads scope(threads);
      for (const Tensor& t : by_winograd(p)) results[threads - 1].push_back(t.to_vector<float>());
      EXPECT_EQ(results[0], results[threads - 1]) << to_string(c) << ", " << threads << " threads";
    }
  }
}

TEST(Winograd, IsTakenOnlyWhereItApplies) {
  Shape w{32, 32, 3, 3};
  EXPECT_TRUE(kernels::winograd_applies(w, float32, {.padding = 2}));
  EXPECT_FALSE(kernels::winograd_applies(w, float32, {.padding = 3}));
  EXPECT_FALSE(kernels::winograd_applies(w, float32, {.stride = {1, 2}, .padding = 1}));
  EXPECT_FALSE(kernels::winograd_applies(w, float32, {.padding = 1, .dilation = 2}));
  EXPECT_FALSE(kernels::winograd_applies(w, float32, {.padding = 1, .groups = 2}));
  EXPECT_FALSE(kernels::winograd_applies(w, bfloat16, {.padding = 1}));
  EXPECT_FALSE(kernels::winograd_applies({32, 32, 3, 1}, float32, {}));
}

// y, and the gradients of x, w and the bias; then those of their weighted sum (second derivatives) in x and
// w.
std::vector<Tensor> all(const Problem& p, DType dtype, Tensor (*order)(const Tensor&)) {
  Tensor x = order(p.x.to(dtype)).detach().requires_grad_(), w = p.w.to(dtype).requires_grad_(),
         b = p.b.to(dtype).requires_grad_(), g = order(p.g.to(dtype)).requires_grad_();
  Tensor y = conv2d(x, w, b, p.options);
  auto first = grad(y, {x, w, b}, {.grad_outputs = {g}, .create_graph = true});
  Tensor sum = (first[0] * first[0]).sum() + (first[1] * first[1]).sum();
  auto second = grad(sum, {x, w, g});
  std::vector<Tensor> results{y};
  results.insert(results.end(), first.begin(), first.end());
  results.insert(results.end(), second.begin(), second.end());
  return results;
}

TEST(Winograd, TheOperationAgreesWithTheDirectOneInFirstAndSecondDerivatives) {
  for (const Case& c : {Case{8, 16, 32, 12, 11}, Case{40, 32, 16, 6, 6, 0}}) {
    Problem p(c);
    ASSERT_TRUE(kernels::winograd_pays(p.w.shape(), p.g.shape())) << to_string(c);
    auto right = all(p, float64, channels_last);
    for (auto order : {+[](const Tensor& t) { return t; }, channels_last}) {
      Switch on(true);
      auto fast = all(p, float32, order);
      Switch off(false);
      auto direct = all(p, float32, order);
      EXPECT_NE(fast[0].to_vector<float>(), direct[0].to_vector<float>()) << "the switch has no effect";
      for (size_t i = 0; i < fast.size(); ++i) {
        EXPECT_LT(distance(fast[i], direct[i]), 1e-5) << to_string(c) << " result " << i;
        EXPECT_LT(distance(fast[i], right[i]), 1e-5) << to_string(c) << " result " << i;
      }
    }
  }
}

}  // namespace
}  // namespace espalier
