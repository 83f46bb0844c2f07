#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/arithmetic.h>
#include <espalier/ops/creation.h>

#include <gtest/gtest.h>

namespace espalier {
namespace {

using Doubles = std::vector<double>;

TEST(Arithmetic, PromotesAsPyTorchDoes) {
  Tensor f = ones({2}), d = ones({2}, {.dtype = float64}), i = ones({2}, {.dtype = int64}),
         b = ones({2}, {.dtype = boolean}), h = ones({2}, {.dtype = bfloat16}),
         u = ones({2}, {.dtype = uint8});
  EXPECT_EQ((f + d).dtype(), float64);
  EXPECT_EQ((f + i).dtype(), float32);
  EXPECT_EQ((h + f).dtype(), float32);
  EXPECT_EQ((h + i).dtype(), bfloat16);
  EXPECT_EQ((u + b).dtype(), uint8);
  EXPECT_EQ((i + 1.5).dtype(), float32);
  EXPECT_EQ((b + 1).dtype(), int64);
  EXPECT_EQ((h * 2.0).dtype(), bfloat16);
  EXPECT_EQ((i / i).dtype(), float32);
  EXPECT_EQ((b + b).dtype(), boolean);
  EXPECT_EQ((f + tensor(1.0, {.dtype = float64})).dtype(), float32);  // no dimensions: counts as a number
  EXPECT_EQ((i + tensor(1.0, {.dtype = float64})).dtype(), float64);
  EXPECT_EQ((b - tensor(1)).dtype(), int64);
  EXPECT_THROW(b - b, DTypeError);
  EXPECT_THROW(-b, DTypeError);
}

TEST(Arithmetic, IntegersAreExactAndWrap) {
  Tensor big = tensor(std::vector<int64_t>{(int64_t{1} << 53) + 1});
  EXPECT_EQ((big + 2).item<int64_t>(), (int64_t{1} << 53) + 3);
  EXPECT_EQ((tensor({200}, {.dtype = uint8}) + tensor({100}, {.dtype = uint8})).item<int64_t>(), 44);
  EXPECT_EQ((tensor({true}) + tensor({true})).item<int64_t>(), 1);
  EXPECT_EQ((tensor({INT64_MAX}) + 1).item<int64_t>(), INT64_MIN);
}

TEST(Arithmetic, BroadcastsAnyShapes) {
  Tensor x = arange(6, {.dtype = float32}), column = tensor({10., 20.}, {2, 1}), row = tensor({1., 2., 3.});
  EXPECT_EQ((column + row).to_vector<double>(), (Doubles{11, 12, 13, 21, 22, 23}));
  EXPECT_EQ((row - column).to_vector<double>(), (Doubles{-9, -8, -7, -19, -18, -17}));
  EXPECT_EQ((row * tensor(2.0)).to_vector<double>(), (Doubles{2, 4, 6}));
  EXPECT_EQ((1 / row).to_vector<float>()[1], 0.5f);
  EXPECT_THROW(x + row, ShapeError);
}

TEST(Arithmetic, BFloat16RoundsToEven) {
  Tensor x = tensor({1.0, 256.0}, {.dtype = bfloat16});
  EXPECT_EQ((x + 1.0 / 256).to_vector<double>(), (Doubles{1, 256}));
  EXPECT_EQ((x * 1.01).to_vector<double>()[0], 1.0078125);
}

TEST(Arithmetic, LargeTensorsAreTheSameInPieces) {
  int64_t n = 100'003;
  Tensor x = arange(n, {.dtype = float32}), y = arange(2 * n, {.dtype = float32});
  Tensor every_second(y.array().view({n}, {2}, 1));
  auto sum = (x + every_second).to_vector<float>();
  for (int64_t i = 0; i < n; i += 997)
    EXPECT_EQ(sum[i], static_cast<float>(i) + static_cast<float>(2 * i + 1));
  EXPECT_EQ(sum.back(), static_cast<float>(n - 1) + static_cast<float>(2 * n - 1));
}

TEST(Arithmetic, MemoryOrderOfTheInputStays) {
  Tensor x(Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5})));
  x.fill_(1);
  Tensor bias = ones({3, 1, 1});
  EXPECT_TRUE((x + bias).array().is_channels_last());
  EXPECT_TRUE((bias + x).array().is_channels_last());
  EXPECT_TRUE((x * 2).array().is_channels_last());
  EXPECT_TRUE(x.clone().array().is_channels_last());
  EXPECT_TRUE(x.contiguous().is_contiguous());
}

TEST(InPlace, WritesOverTheFirstOperand) {
  Tensor x = tensor({1., 2., 4.});
  x.add_(tensor({1., 1., 1.}), 2).mul_(2).sub_(1).div_(tensor({5., 7., 11.}));
  EXPECT_EQ(x.to_vector<double>(), (Doubles{1, 1, 1}));
  x += x;
  x *= tensor({1, 2, 3});
  EXPECT_EQ(x.to_vector<double>(), (Doubles{2, 4, 6}));
}

TEST(InPlace, OverlappingOperandsAreReadBeforeTheyAreWritten) {
  Tensor x = tensor({1., 2., 3., 4.});
  Tensor head(x.array().view({3}, {1}, 0)), tail(x.array().view({3}, {1}, 1));
  tail.add_(head);
  EXPECT_EQ(x.to_vector<double>(), (Doubles{1, 3, 5, 7}));
}

TEST(InPlace, RefusesWhatDoesNotFit) {
  Tensor i = ones({2}, {.dtype = int64});
  EXPECT_THROW(i.add_(1.5), DTypeError);
  EXPECT_THROW(i.div_(2), DTypeError);
  EXPECT_THROW(i.add_(ones({3, 2}, {.dtype = int64})), ShapeError);
  Tensor leaf = ones({2}, {.requires_grad = true});
  EXPECT_THROW(leaf.add_(1), GradError);
  {
    NoGrad guard;
    leaf.add_(1);
  }
  Tensor wide(ones({1}).array().view({4}, {0}, 0));
  EXPECT_THROW(wide.add_(1), ValueError);
}

TEST(InPlace, GradientsFlowThroughTheWrite) {
  Tensor a = tensor({2., 4.}, {.requires_grad = true}), b = tensor({5., 7.}, {.requires_grad = true});
  Tensor x = a * 1;
  x.mul_(b);
  x.div_(a);  // b
  x.add_(a, 3).sub_(1);
  x.backward(ones({2}));
  EXPECT_EQ(a.grad().to_vector<double>(), (Doubles{3, 3}));
  EXPECT_EQ(b.grad().to_vector<double>(), (Doubles{1, 1}));
}

TEST(InPlace, ASavedValueThatIsWrittenIsAnError) {
  Tensor a = tensor({2., 3.}, {.requires_grad = true});
  Tensor x = a * 1, y = x * x;
  x.add_(1);
  EXPECT_THROW(y.backward(ones({2})), GradError);
}

}  // namespace
}  // namespace espalier
