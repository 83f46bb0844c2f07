#include <gtest/gtest.h>

#include <espalier/espalier.h>

namespace espalier {
namespace {

Tensor counting(const Shape& shape) {
  return arange(Shape(shape).numel(), {.dtype = float32}).reshape(shape);
}

bool share(const Tensor& a, const Tensor& b) { return a.array().storage == b.array().storage; }

TEST(Views, ShareMemoryWithTheirTensor) {
  Tensor x = counting({2, 3, 4});
  for (const Tensor& v : {x.reshape({6, 4}), x.view({4, 6}), x.flatten(), x.unflatten(2, {2, 2}), x.squeeze(),
                          x.unsqueeze(1), x.transpose(0, 2), x.permute({2, 0, 1}), x.expand({5, 2, 3, 4}),
                          x.select(1, 2), x.slice(2, 1, 3), x.narrow(0, 1, 1), x.diagonal(), x.split(1)[1],
                          x.chunk(2, 2)[0], x.unbind(1)[2], x[1], x.index({ellipsis, Slice{.step = 2}, 0})}) {
    EXPECT_TRUE(share(x, v)) << to_string(v.shape());
  }
}

TEST(Views, SeeWhatIsWrittenThroughThem) {
  Tensor x = zeros({2, 3});
  x.transpose(0, 1)[2].fill_(5);
  EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{0, 0, 5, 0, 0, 5}));
}

TEST(Views, ReshapeCopiesWhereStridesCannotExpressIt) {
  Tensor x = counting({2, 3}).t();
  Tensor y = x.reshape({6});
  EXPECT_FALSE(share(x, y));
  EXPECT_EQ(y.to_vector<int64_t>(), (std::vector<int64_t>{0, 3, 1, 4, 2, 5}));
  EXPECT_THROW(x.view({6}), ShapeError);
  EXPECT_TRUE(share(x, x.reshape({3, 1, 2})));
}

TEST(Views, FlattenOfChannelsLastGivesLogicalOrder) {
  Tensor x = counting({2, 3, 4, 5});
  Tensor last(Array::empty(x.shape(), float32, channels_last_strides(x.shape())));
  last.copy_(x);
  EXPECT_TRUE(last.array().is_channels_last());
  EXPECT_EQ(last.flatten(1).to_vector<float>(), x.flatten(1).to_vector<float>());
}

TEST(Views, GradientOfFlattenedChannelsLastIsChannelsLast) {
  Tensor x(Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5})));
  x.fill_(1).requires_grad_();
  x.flatten(1).backward(counting({2, 60}));
  EXPECT_TRUE(x.grad().array().is_channels_last());
  EXPECT_EQ(x.grad().flatten().to_vector<float>(), counting({120}).to_vector<float>());
}

TEST(Views, OfASavedTensorCountAsWrites) {
  Tensor x = ones({3}).requires_grad_();
  Tensor h = x * 2;
  Tensor y = h * h;
  {
    NoGrad guard;
    h.slice(0, 0, 1).fill_(7);
  }
  EXPECT_THROW(y.sum().backward(), GradError);
}

TEST(Views, CannotBeWrittenWhereGradientsAreRecorded) {
  Tensor x = ones({3}).requires_grad_();
  Tensor y = x * 2;
  EXPECT_THROW(y[0].fill_(1), GradError);
  EXPECT_THROW(x[0].add_(x[1]), GradError);
}

TEST(Views, ExpandedTensorsRefuseWrites) { EXPECT_THROW(zeros({1, 3}).expand({2, 3}).fill_(1), ValueError); }

TEST(Views, AreOfAnySizeOfPieces) {
  auto sizes = [](const std::vector<Tensor>& pieces) {
    std::vector<int64_t> out;
    for (const Tensor& p : pieces) out.push_back(p.size(0));
    return out;
  };
  EXPECT_EQ(sizes(zeros({7}).split(3)), (std::vector<int64_t>{3, 3, 1}));
  EXPECT_EQ(sizes(zeros({7}).chunk(4)), (std::vector<int64_t>{2, 2, 2, 1}));
  EXPECT_EQ(sizes(zeros({5}).chunk(4)), (std::vector<int64_t>{2, 2, 1}));
  EXPECT_EQ(sizes(zeros({0}).chunk(3)), (std::vector<int64_t>{0}));
  EXPECT_EQ(sizes(zeros({2}).split(INT64_MAX)), (std::vector<int64_t>{2}));
}

TEST(Views, SlicesCutOffWhatLiesOutside) {
  Tensor x = counting({5});
  EXPECT_EQ(x.slice(0, -2, 100).to_vector<int64_t>(), (std::vector<int64_t>{3, 4}));
  EXPECT_EQ(x.slice(0, -100, 2).to_vector<int64_t>(), (std::vector<int64_t>{0, 1}));
  EXPECT_EQ(x.slice(0, 4, 2).numel(), 0);
  EXPECT_EQ(x.slice(0, INT64_MIN, INT64_MAX, INT64_MAX).to_vector<int64_t>(), (std::vector<int64_t>{0}));
}

TEST(Cat, PromotesAndKeepsChannelsLast) {
  EXPECT_EQ(cat({zeros({1}, {.dtype = int64}), zeros({1})}).dtype(), float32);
  Tensor last(Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5})));
  last.fill_(1);
  EXPECT_TRUE(cat({last, last}, 1).array().is_channels_last());
  EXPECT_TRUE(pad(last, {1, 1, 1, 1}).array().is_channels_last());
}

TEST(Transpose, OfLargeTensorsIsExact) {
  Tensor x = counting({67, 3, 129});
  Tensor y = x.permute({2, 1, 0}).contiguous();
  for (int64_t i : {0, 5, 128}) {
    EXPECT_EQ(y[i].to_vector<float>(), x.select(2, i).t().to_vector<float>());
  }
}

}  // namespace
}  // namespace espalier
