#include <limits>

#include <gtest/gtest.h>

#include <espalier/espalier.h>

namespace espalier {
namespace {

Tensor counting(const Shape& shape) {
  return arange(Shape(shape).numel(), {.dtype = float32}).reshape(shape);
}

TEST(Index, ReadsAsInPyTorch) {
  Tensor x = counting({3, 4});
  EXPECT_EQ(x.index({-1, 2}).item<int64_t>(), 10);
  EXPECT_EQ(x.index({ellipsis, -1}).to_vector<int64_t>(), (std::vector<int64_t>{3, 7, 11}));
  EXPECT_EQ(x.index({x > 8}).to_vector<int64_t>(), (std::vector<int64_t>{9, 10, 11}));
  EXPECT_EQ(x[tensor(std::vector<int32_t>{2, 0})].shape(), (Shape{2, 4}));
  EXPECT_EQ(x.index({newaxis, Slice{}, newaxis}).shape(), (Shape{1, 3, 1, 4}));
}

TEST(Index, OfViewsIsAView) {
  Tensor x = counting({3, 4});
  x.index({1, Slice{.start = 2}}).fill_(0);
  EXPECT_EQ(x[1].to_vector<int64_t>(), (std::vector<int64_t>{4, 5, 0, 0}));
}

TEST(Index, AddsUpGradientsOfRepeatedPositions) {
  Tensor x = zeros({3}).requires_grad_();
  x[tensor({1, 1, 1, 0})].backward(tensor({1., 2., 4., 8.}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{8, 7, 0}));
}

TEST(IndexPut, WritesWhereIndexReads) {
  Tensor x = zeros({2, 3});
  x.index_put_({Slice{}, tensor({true, false, true})}, tensor({1., 2.}));
  EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 2, 1, 0, 2}));
  x.index_put_({tensor({0, 0}), tensor({1, 1})}, tensor({5., 6.}));
  EXPECT_EQ(x[0][1].item<int64_t>(), 6) << "the last of two values stays";
  x.index_put_({x > 1}, zeros({}));
  EXPECT_EQ(x.sum().item<int64_t>(), 2);
}

TEST(IndexPut, IntoASavedTensorIsAnError) {
  Tensor x = ones({3}).requires_grad_();
  Tensor h = x * 1;
  Tensor y = h * h;
  h.index_put_({0}, zeros({}));
  EXPECT_THROW(y.sum().backward(), GradError);
}

TEST(Gather, RefusesLabelsOutsideByNumber) {
  try {
    zeros({2, 10}).gather(1, tensor({{3}, {10}}));
    FAIL();
  } catch (const IndexError& e) {
    EXPECT_EQ(e.message(),
              "gather: index 10 at position 1 of the index tensor is outside dimension 1 of size 10");
  }
}

TEST(Sort, PutsNanLastAndKeepsTheOrderOfEqualValues) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  Tensor x = tensor({3., nan, 1., 3., -1.});
  EXPECT_EQ(x.sort().second.to_vector<int64_t>(), (std::vector<int64_t>{4, 2, 0, 3, 1}));
  EXPECT_EQ(x.argsort(0, true).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 3, 2, 4}));
  EXPECT_EQ(x.topk(2).second.to_vector<int64_t>(), (std::vector<int64_t>{1, 0}));
  EXPECT_EQ(x.topk(2, 0, false).first.to_vector<int64_t>(), (std::vector<int64_t>{-1, 1}));
}

TEST(Nonzero, NeedsValues) {
  ShapesOnly scope;
  EXPECT_THROW(zeros({3}).nonzero(), ValueError);
}

TEST(OneHot, TakesTheLargestClassForTheNumber) {
  EXPECT_EQ(one_hot(tensor({0, 2})).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 0, 0, 0, 1}));
}

}  // namespace
}  // namespace espalier
