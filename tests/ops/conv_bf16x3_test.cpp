#include <espalier/core/threads.h>
#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/conv.h>
#include <espalier/kernels/packed.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/matmul.h>

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <ops/conv_problem.h>
#include <ops/distance.h>

namespace espalier {
namespace {

class ConvBf16x3 : public testing::Test {
 protected:
  void SetUp() override {
    if (!kernels::gemm_bf16x3.offered()) GTEST_SKIP() << "this processor has no bfloat16 tiles";
    set_bf16x3(true);
  }
  void TearDown() override {
    set_bf16x3(before_);
    set_num_threads(threads_);
  }

 private:
  bool before_ = bf16x3();
  int threads_ = get_num_threads();
};

struct Case {
  Shape x, w;
  Conv2dOptions options = {};
};

// The last ones have several chunks of depths and of channels.
const Case cases[] = {
    {{8, 64, 12, 13}, {64, 64, 3, 3}, {.stride = 2, .padding = 1}},
    {{7, 64, 9, 20}, {96, 64, 2, 3}, {.stride = {1, 2}, .padding = {0, 2}}},
    {{3, 96, 13, 12}, {64, 96, 3, 3}, {.padding = 2, .dilation = 2}},
    {{4, 64, 21, 19}, {64, 64, 3, 2}, {.stride = {3, 2}, .padding = 1, .dilation = {2, 1}}},
    {{2, 64, 12, 11}, {64, 64, 5, 5}, {.padding = 2}},
    {{5, 128, 20, 17}, {128, 128, 1, 1}, {.stride = 2}},
    {{12, 128, 9, 10}, {160, 128, 3, 3}, {.stride = 2, .padding = 1}},
    {{80, 320, 4, 3}, {288, 320, 3, 3}, {.stride = 2, .padding = 1}},
};

struct Problem : ConvProblem {
  explicit Problem(const Case& c) : ConvProblem(c.x, c.w, c.options) {}
};

// The result and the gradients of x and w; whether the tiles could give each.
struct Passes {
  std::vector<Tensor> results;
  std::vector<bool> done;
};
Passes on_tiles(const Problem& p, bool relu = false) {
  kernels::ConvGeometry geometry{p.options.stride, p.options.padding, p.options.dilation, p.options.groups};
  Array x = channels_last(p.x.to(float32)).array(), g = channels_last(p.g.to(float32)).array();
  Array w = p.w.to(float32).array(), b = p.b.to(float32).array();
  Array y = Array::empty_like(g), gx = Array::empty_like(x), gw = Array::empty_like(w);
  std::vector<bool> done{kernels::conv2d_bf16x3(y, x, w, &b, geometry, relu),
                         kernels::conv2d_input_bf16x3(gx, w, g, geometry),
                         kernels::conv2d_weight_bf16x3(gw, x, g, geometry)};
  return {{Tensor(y), Tensor(gx), Tensor(gw)}, done};
}

const std::vector<bool> kAll{true, true, true};

TEST_F(ConvBf16x3, AgreesWithFloat64InAllPasses) {
  for (const Case& c : cases) {
    Problem p(c);
    Tensor right[] = {conv2d(p.x, p.w, p.b, p.options), conv2d_input(p.x.shape(), p.w, p.g, p.options),
                      conv2d_weight(p.x, p.w.shape(), p.g, p.options)};
    Passes got = on_tiles(p);
    ASSERT_EQ(got.done, kAll) << to_string(c.x);
    for (size_t i = 0; i < 3; ++i) {
      EXPECT_LT(distance(got.results[i], right[i]), 5e-7)
          << to_string(c.x) << to_string(c.w) << " pass " << i;
    }
    EXPECT_LT(distance(on_tiles(p, true).results[0], right[0].relu()), 5e-7) << to_string(c.x);
  }
}

TEST_F(ConvBf16x3, DoesNotDependOnTheNumberOfThreads) {
  for (const Case& c : cases) {
    Problem p(c);
    std::vector<std::vector<float>> results[4];
    for (int threads : {1, 2, 3, 4}) {
      set_num_threads(threads);
      for (const Tensor& t : on_tiles(p).results) results[threads - 1].push_back(t.to_vector<float>());
      EXPECT_EQ(results[0], results[threads - 1]) << to_string(c.x) << threads << " threads";
    }
  }
}

// y, and the gradients of x, w and the bias; then those of their squares' sum (second derivatives) in x and
// w.
std::vector<Tensor> all(const Problem& p) {
  Tensor x = p.x.to(float32).requires_grad_(), w = p.w.to(float32).requires_grad_(),
         b = p.b.to(float32).requires_grad_(), g = p.g.to(float32).requires_grad_();
  Tensor y = conv2d(x, w, b, p.options);
  auto results = grad(y, {x, w, b}, {.grad_outputs = {g}, .create_graph = true});
  Tensor sum = (results[0] * results[0]).sum() + (results[1] * results[1]).sum();
  for (const Tensor& second : grad(sum, {x, w, g})) results.push_back(second);
  results.push_back(y);
  return results;
}

TEST_F(ConvBf16x3, TheOperationAgreesWithTheOtherOnesInFirstAndSecondDerivatives) {
  Problem p(cases[0]);
  auto on = all(p);
  set_bf16x3(false);
  auto off = all(p);
  EXPECT_NE(on.back().to_vector<float>(), off.back().to_vector<float>()) << "the switch has no effect";
  for (size_t i = 0; i < on.size(); ++i) EXPECT_LT(distance(on[i], off[i]), 2e-6) << "result " << i;
}

TEST_F(ConvBf16x3, WhatIsTooLargeForTheTilesIsLeftToOthers) {
  for (double value : {3.4e38, std::numeric_limits<double>::infinity(), std::nan("")}) {
    Problem p(cases[0]);
    p.x.copy_(zeros_like(p.x));
    p.x.select(0, 3).select(0, 5).select(0, 7).select(0, 4).fill_(value);
    EXPECT_FALSE(on_tiles(p).done[0]) << value;
    Tensor x = p.x.to(float32), w = p.w.to(float32) * 0.1, got = conv2d(x, w, {}, p.options);
    set_bf16x3(false);
    Tensor other = conv2d(x, w, {}, p.options);
    set_bf16x3(true);
    auto a = got.to_vector<float>(), b = other.to_vector<float>();
    for (size_t i = 0; i < a.size(); ++i) {
      ASSERT_TRUE(a[i] == b[i] || (std::isnan(a[i]) && std::isnan(b[i])))
          << value << ' ' << a[i] << ' ' << b[i];
    }
  }
}

// From the second call on the weights are split already.
TEST_F(ConvBf16x3, KeepsTheWeightsSplitWithoutAChangeToTheResult) {
  for (const Case& c : cases) {
    Problem p(c);
    Tensor x = p.x.to(float32), w = p.w.to(float32);
    auto first = conv2d(x, w, {}, p.options).to_vector<float>();
    int64_t before = kernels::packed_bytes();
    for (int call : {2, 3}) EXPECT_EQ(conv2d(x, w, {}, p.options).to_vector<float>(), first) << call;
    EXPECT_GE(kernels::packed_bytes() - before, w.numel() * 6) << to_string(c.w);
    w.mul_(2);
    EXPECT_NE(conv2d(x, w, {}, p.options).to_vector<float>(), first);
  }
}

TEST_F(ConvBf16x3, IsTakenOnlyWhereItPays) {
  EXPECT_EQ(on_tiles(Problem({{4, 32, 16, 16}, {64, 32, 3, 3}})).done[0], false) << "few channels";
  EXPECT_EQ(on_tiles(Problem({{4, 80, 16, 16}, {64, 80, 3, 3}})).done[0], false) << "no multiple of 32";
  EXPECT_EQ(on_tiles(Problem({{1, 64, 6, 6}, {64, 64, 3, 3}})).done[0], false) << "few places";
  EXPECT_EQ(on_tiles(Problem({{4, 64, 16, 16}, {64, 64, 1, 1}})).done[0], false) << "few numbers in a sum";
  EXPECT_EQ(on_tiles(Problem({{4, 128, 16, 16}, {128, 64, 3, 3}, {.groups = 2}})).done[0], false) << "groups";
}

}  // namespace
}  // namespace espalier
