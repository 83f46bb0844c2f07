#include <espalier/autograd/grad_mode.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/conv.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>

#include <thread>

#include <gtest/gtest.h>

#include <ops/conv_problem.h>
#include <ops/distance.h>

namespace espalier {
namespace {

struct Case {
  Shape x, w;
  Conv2dOptions options = {};
};

const Case cases[] = {
    {{2, 3, 7, 9}, {5, 3, 3, 3}, {.padding = 1}},
    {{1, 1, 5, 5}, {1, 1, 1, 1}},
    {{3, 16, 8, 8}, {32, 16, 3, 3}, {.stride = 2, .padding = 1}},
    {{1, 17, 6, 5}, {19, 17, 1, 1}, {.stride = {1, 2}}},
    {{2, 6, 9, 8}, {9, 2, 3, 2}, {.stride = 2, .padding = {1, 0}, .dilation = 2, .groups = 3}},
    {{2, 8, 6, 6}, {8, 1, 3, 3}, {.padding = 1, .groups = 8}},
    {{4, 3, 32, 32}, {32, 3, 3, 3}, {.padding = 1}},
    {{3, 32, 5, 4}, {128, 32, 3, 3}, {.padding = 1}},
    {{2, 48, 9, 8}, {96, 48, 3, 2}, {.stride = {2, 1}, .padding = {1, 2}, .dilation = {1, 2}}},
    {{5, 32, 8, 7}, {64, 32, 1, 1}, {.stride = 2}},
};

// x with gaps between its elements.
Tensor with_gaps(const Tensor& x) {
  Shape wide = x.shape();
  wide[3] *= 2;
  Tensor block = zeros(wide, {.dtype = x.dtype()});
  Tensor view = block.slice(3, 0, {}, 2);
  return view.copy_(x);
}

// y, gradient of x, gradient of w, gradient of the bias
std::vector<Tensor> all(Tensor x, Tensor w, Tensor b, const Tensor& g, const Conv2dOptions& o) {
  x = x.detach().requires_grad_(), w = w.detach().requires_grad_(), b = b.detach().requires_grad_();
  Tensor y = conv2d(x, w, b, o);
  auto gradients = grad(y, {x, w, b}, {.grad_outputs = {g.to(y.dtype())}});
  gradients.insert(gradients.begin(), y);
  return gradients;
}

struct Problem : ConvProblem {
  explicit Problem(const Case& c) : ConvProblem(c.x, c.w, c.options), right(all(x, w, b, g, options)) {}
  std::vector<Tensor> right;
};

TEST(Conv2d, Float32AndBfloat16AgreeWithFloat64InEveryOrderOfMemory) {
  for (const Case& c : cases) {
    Problem p(c);
    for (DType d : {float32, bfloat16}) {
      double tolerance = d == float32 ? 2e-6 : 2e-2;
      for (auto order : {+[](const Tensor& t) { return t; }, channels_last, with_gaps}) {
        auto got = all(order(p.x.to(d)), p.w.to(d), p.b.to(d), order(p.g.to(d)), p.options);
        for (size_t i = 0; i < got.size(); ++i) {
          EXPECT_LT(distance(got[i], p.right[i]), tolerance)
              << to_string(c.x) << to_string(c.w) << name(d) << " result " << i;
        }
      }
    }
  }
}

TEST(Conv2d, FallsBackToProductsOfMatricesWithTheSameResult) {
  for (const Case& c : cases) {
    Problem p(c);
    kernels::ConvGeometry geometry{c.options.stride, c.options.padding, c.options.dilation, c.options.groups};
    Array x = channels_last(p.x.to(float32)).array(), w = p.w.to(float32).array();
    Array b = p.b.to(float32).array(), g = channels_last(p.g.to(float32)).array();
    Array y = Array::empty_like(g), gx = Array::empty_like(x), gw = Array::empty_like(w);
    kernels::conv2d_by_gemm(y, x, w, &b, geometry);
    kernels::conv2d_input_by_gemm(gx, w, g, geometry);
    kernels::conv2d_weight_by_gemm(gw, x, g, geometry);
    EXPECT_LT(distance(Tensor(y), p.right[0]), 2e-6) << to_string(c.x);
    EXPECT_LT(distance(Tensor(gx), p.right[1]), 2e-6) << to_string(c.x);
    EXPECT_LT(distance(Tensor(gw), p.right[2]), 2e-6) << to_string(c.x);
  }
}

TEST(Conv2d, ReluOfTheResultIsTheSameFusedOrNot) {
  std::vector<Case> all_cases(std::begin(cases), std::end(cases));
  all_cases.push_back({{8, 16, 12, 11}, {32, 16, 3, 3}, {.padding = 1}});  // by Winograd's algorithm
  all_cases.push_back({{2, 3, 4, 4}, {0, 3, 1, 1}});
  all_cases.push_back({{0, 3, 4, 4}, {2, 3, 1, 1}});
  for (const Case& c : all_cases) {
    Problem p(c);
    kernels::ConvGeometry geometry{c.options.stride, c.options.padding, c.options.dilation, c.options.groups};
    for (DType d : {float32, float64, bfloat16}) {
      Tensor x = p.x.to(d), w = p.w.to(d), b = p.b.to(d);
      for (const Tensor& bias : {b, Tensor()}) {
        Tensor plain = conv2d(x, w, bias, c.options).relu();
        Array y = Array::empty_like(plain.array());
        kernels::conv2d(y, x.array(), w.array(), bias.defined() ? &b.array() : nullptr, geometry, true);
        EXPECT_EQ(Tensor(y).to_vector<float>(), plain.to_vector<float>()) << to_string(c.x) << name(d);
      }
    }
  }
}

TEST(Conv2d, ResultsLieInChannelsLastOrder) {
  Tensor x = randn({2, 3, 4, 5}, {.requires_grad = true}), w = randn({6, 3, 1, 1});
  Tensor y = conv2d(x, w);
  EXPECT_TRUE(y.array().is_channels_last());
  EXPECT_TRUE(grad(y.sum(), {x})[0].array().is_channels_last());
}

// The gradients of input and weight may: oneDNN divides their sums among the threads.
TEST(Conv2d, ResultsDoNotDependOnTheNumberOfThreads) {
  int before = get_num_threads();
  for (const Case& c : cases) {
    Problem p(c);
    std::vector<std::vector<float>> results[2];
    for (int threads : {1, 2}) {
      set_num_threads(threads);
      for (const Tensor& t :
           all(p.x.to(float32), p.w.to(float32), p.b.to(float32), p.g.to(float32), c.options)) {
        results[threads - 1].push_back(t.to_vector<float>());
      }
    }
    for (size_t i : {0, 3}) {
      EXPECT_EQ(results[0][i], results[1][i]) << to_string(c.x) << to_string(c.w) << " result " << i;
    }
  }
  set_num_threads(before);
}

TEST(Conv2d, ThreadsMayComputeAtTheSameTime) {
  Problem p(cases[0]);
  std::vector<std::vector<float>> found(4);
  std::vector<std::thread> threads;
  for (auto& result : found) {
    threads.emplace_back([&] {
      for (int i = 0; i < 20; ++i) {
        for (const Case& c : cases) conv2d(ones(c.x), ones(c.w), {}, c.options);
        result = conv2d(p.x.to(float32), p.w.to(float32), p.b.to(float32), p.options).to_vector<float>();
      }
    });
  }
  for (auto& t : threads) t.join();
  for (auto& result : found) EXPECT_EQ(result, found[0]);
  EXPECT_LT(distance(tensor(found[0], p.g.shape()), p.right[0]), 2e-6);
}

// In inference, packed weights are kept; a change of the weight must show.
TEST(Conv2d, FollowsAWeightThatChangesBetweenCalls) {
  NoGrad no_grad;
  for (const Shape& shape : {Shape{32, 16, 3, 3}, Shape{32, 16, 1, 1}}) {
    Tensor x = randn({8, 16, 12, 12}), w = randn(shape);
    for (DType d : {float32, bfloat16}) {
      Tensor a = x.to(d), b = w.to(d);
      Tensor first = conv2d(a, b);
      for (int i = 0; i < 3; ++i) EXPECT_EQ(conv2d(a, b).to_vector<float>(), first.to_vector<float>());
      b.mul_(2);
      for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(conv2d(a, b).to_vector<float>(), (first * 2).to_vector<float>());
      }
    }
  }
}

TEST(Conv2d, AWeightInAnyOrderOfMemoryIsTaken) {
  Tensor x = randn({2, 3, 5, 5}), w = randn({4, 3, 3, 3});
  EXPECT_LT(distance(conv2d(x, channels_last(w)), conv2d(x, w)), 1e-6);
  EXPECT_LT(distance(conv2d(x, with_gaps(w)), conv2d(x, w)), 1e-6);
}

TEST(Conv2d, NoImagesGiveZeroGradients) {
  Tensor x = zeros({0, 3, 5, 5}), w = ones({4, 3, 3, 3}, {.requires_grad = true});
  Tensor y = conv2d(x, w);
  EXPECT_EQ(y.shape(), (Shape{0, 4, 3, 3}));
  EXPECT_EQ(grad(y.sum(), {w})[0].sum().item<float>(), 0);
}

}  // namespace
}  // namespace espalier
