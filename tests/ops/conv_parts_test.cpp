#include <espalier/core/threads.h>
#include <espalier/kernels/conv.h>
#include <espalier/kernels/conv_parts.h>
#include <espalier/ops/conv.h>

#include <gtest/gtest.h>

#include <ops/conv_problem.h>
#include <ops/distance.h>

namespace espalier {
namespace {

using kernels::ConvGeometry;
using kernels::ConvPart;

struct Case {
  Shape x, w;
  Conv2dOptions options = {};
};

const Case cases[] = {
    {{16, 3, 32, 32}, {32, 3, 3, 3}, {.padding = 1}},
    {{7, 3, 33, 31}, {32, 3, 5, 5}, {.stride = 2, .padding = 2}},  // images that parts can't share evenly
    {{1, 3, 64, 64}, {32, 3, 3, 3}, {.padding = 1}},
    {{1, 24, 61, 45}, {40, 24, 3, 3}, {.stride = 2, .padding = 1}},
    {{1, 24, 40, 33}, {32, 24, 3, 3}, {.padding = 2, .dilation = 2}},
    {{1, 8, 57, 40}, {64, 8, 7, 7}, {.stride = {3, 2}, .padding = 3}},
    {{1, 64, 33, 33}, {128, 64, 1, 1}, {.stride = 2}},
    {{1, 16, 63, 32}, {32, 8, 3, 3}, {.padding = {1, 0}, .groups = 2}},
    {{1, 16, 2, 128}, {64, 16, 3, 3}, {.padding = {40, 1}}},  // rows of padding only
};

struct Problem : ConvProblem {
  explicit Problem(const Case& c) : ConvProblem(c.x, c.w, c.options) {
    Tensor a = x.detach().requires_grad_(), v = w.detach().requires_grad_();
    Tensor result = conv2d(a, v, b, options);
    right = grad(result, {a, v}, {.grad_outputs = {g}});
    right.insert(right.begin(), result.detach());
  }
  ConvGeometry geometry() const {
    return {options.stride, options.padding, options.dilation, options.groups};
  }
  std::vector<Tensor> right;  // y, gradients of x and w
};

// y, gradients of x and w; nothing for those that oneDNN has nothing fast for.
std::vector<Tensor> by_onednn(const Problem& p) {
  Array x = channels_last(p.x.to(float32)).array(), w = p.w.to(float32).array();
  Array b = p.b.to(float32).array(), g = channels_last(p.g.to(float32)).array();
  Array y = Array::empty_like(g), gx = Array::empty_like(x), gw = Array::empty_like(w);
  return {conv2d_onednn(y, x, w, &b, p.geometry()) ? Tensor(y) : Tensor(),
          conv2d_input_onednn(gx, w, g, p.geometry()) ? Tensor(gx) : Tensor(),
          conv2d_weight_onednn(gw, x, g, p.geometry()) ? Tensor(gw) : Tensor()};
}

struct ConvParts : testing::TestWithParam<Case> {
  void TearDown() override { set_num_threads(before); }
  int before = get_num_threads();
};

TEST_P(ConvParts, GiveTheResultWhateverTheNumberOfThreads) {
  Problem p(GetParam());
  std::vector<Tensor> first;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    auto got = by_onednn(p);
    if (first.empty()) first = got;
    for (size_t i = 0; i < got.size(); ++i) {
      if (!got[i].defined()) continue;
      EXPECT_LT(distance(got[i], p.right[i]), 4e-6) << "result " << i;
      // The gradients of a single image are left to oneDNN.
      if (p.x.size(0) > 1 || i == 0) {
        EXPECT_EQ(got[i].to_vector<float>(), first[i].to_vector<float>()) << "result " << i;
      }
    }
  }
}

TEST_P(ConvParts, CoverTheResultOnce) {
  Problem p(GetParam());
  Array x = channels_last(p.x.to(float32)).array(), y = channels_last(p.g.to(float32)).array();
  auto parts = kernels::parts_of_result(x, p.w.to(float32).array(), y, p.geometry());
  bool only_padding = GetParam().x[2] == 2;
  EXPECT_EQ(parts.size() > 1, !only_padding);
  int64_t next = y.offset;
  for (const ConvPart& part : parts) {
    EXPECT_EQ(part.y.offset, next);
    next += part.y.numel();
  }
  EXPECT_EQ(next, y.offset + y.numel());
}

INSTANTIATE_TEST_SUITE_P(All, ConvParts, testing::ValuesIn(cases));

TEST(PartsOfAConvolution, AreOneWhereThereIsLittleToDoOrOneDnnDividesBetter) {
  auto count = [](const Shape& x, const Shape& w, DType dtype) {
    Tensor in = channels_last(randn(x).to(dtype)), weight = randn(w).to(dtype);
    Array y = channels_last(conv2d(in, weight)).array();
    return kernels::parts_of_result(in.array(), weight.array(), y, {}).size();
  };
  EXPECT_EQ(count({1, 3, 8, 8}, {4, 3, 3, 3}, float32), 1u);
  EXPECT_EQ(count({4, 3, 32, 32}, {32, 3, 3, 3}, bfloat16), 1u);
  EXPECT_EQ(count({4, 512, 8, 8}, {1024, 512, 1, 1}, float32), 1u);
}

}  // namespace
}  // namespace espalier
