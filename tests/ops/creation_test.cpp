#include <espalier/ops/creation.h>

#include <gtest/gtest.h>

namespace espalier {

TEST(Creation, DtypesFollowPyTorch) {
  EXPECT_EQ(zeros({2}).dtype(), float32);
  EXPECT_EQ(arange(3).dtype(), int64);
  EXPECT_EQ(arange(3.0).dtype(), float32);
  EXPECT_EQ(full({2}, 1).dtype(), int64);
  EXPECT_EQ(full({2}, true).dtype(), boolean);
  EXPECT_EQ(tensor({1, 2}).dtype(), int64);
  EXPECT_EQ(tensor({1, 2.5}).dtype(), float32);
  EXPECT_EQ(tensor(std::vector<double>{1}).dtype(), float64);
  EXPECT_EQ(tensor(std::vector<bool>{true}).dtype(), boolean);
  EXPECT_EQ(randperm(4).dtype(), int64);
  EXPECT_EQ(tensor(3.5).dim(), 0);
}

TEST(Creation, BracesNestAsTheTensorDoes) {
  Tensor x = tensor({{1, 2, 3}, {4, 5, 6}});
  EXPECT_EQ(x.shape(), Shape({2, 3}));
  EXPECT_EQ(x.to_vector<int64_t>(), (std::vector<int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(tensor({{{1.0}, {2.0}}}).shape(), Shape({1, 2, 1}));
  EXPECT_EQ(tensor({1., 2., 3., 4.}, {2, 2}, {.dtype = float64}).shape(), Shape({2, 2}));
  EXPECT_THROW(tensor({{1, 2}, {3}}), ShapeError);
}

TEST(Creation, SequencesHaveTheRightLengthAndEnd) {
  EXPECT_EQ(arange(0, 1, 0.3).to_vector<double>().size(), 4u);
  EXPECT_EQ(arange(5, 0, -2).to_vector<int64_t>(), (std::vector<int64_t>{5, 3, 1}));
  EXPECT_EQ(linspace(0, 1, 5).to_vector<double>(), (std::vector<double>{0, .25, .5, .75, 1}));
  EXPECT_EQ(linspace(3, 4, 1).to_vector<double>(), (std::vector<double>{3}));
  EXPECT_EQ(eye(2, 3).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 0, 0, 1, 0}));
  EXPECT_EQ(eye(3, 2).to_vector<int64_t>(), (std::vector<int64_t>{1, 0, 0, 1, 0, 0}));
  EXPECT_THROW(arange(0, 1, 0), ValueError);
  EXPECT_THROW(arange(0, 1, -1), ValueError);
  EXPECT_THROW(zeros({-1}), ShapeError);
}

TEST(Creation, OptionsGiveDtypeAndGradient) {
  Tensor x = ones({2}, {.dtype = float64, .requires_grad = true});
  EXPECT_EQ(x.dtype(), float64);
  EXPECT_TRUE(x.requires_grad());
  EXPECT_THROW(ones({2}, {.dtype = int64, .requires_grad = true}), DTypeError);
}

TEST(Creation, BorrowedMemoryIsShared) {
  float values[4] = {1, 2, 3, 4};
  Tensor x = from_blob(values, {2, 2}, float32);
  x.mul_(2);
  EXPECT_EQ(values[3], 8);
}

}  // namespace espalier
