#include <espalier/core/shape.h>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier {

TEST(Shape, WorksLikeAVectorOfSizes) {
  Shape s{64, 3, 32, 32};
  EXPECT_EQ(s.rank(), 4);
  EXPECT_EQ(s[1], 3);
  EXPECT_EQ(s.back(), 32);
  s.push_back(5);
  s.insert(0, 7);
  s.erase(2);
  EXPECT_EQ(s.vec(), (std::vector<int64_t>{7, 64, 32, 32, 5}));
  EXPECT_EQ(to_string(s), "[7, 64, 32, 32, 5]");
  EXPECT_EQ(to_string(Shape()), "[]");
  EXPECT_EQ(Shape(std::vector<int64_t>{2, 3}), (Shape{2, 3}));
}

TEST(Shape, CountsElements) {
  EXPECT_EQ(Shape().numel(), 1);
  EXPECT_EQ((Shape{2, 3, 4}).numel(), 24);
  EXPECT_EQ((Shape{2, 0, 4}).numel(), 0);
}

TEST(Shape, RefusesSizesThatOverflow) {
  EXPECT_THROW((Shape{int64_t{1} << 40, int64_t{1} << 40}).numel(), ShapeError);
  EXPECT_EQ((Shape{int64_t{1} << 40, int64_t{1} << 40, 0}).numel(), 0);
  EXPECT_THROW(checked_mul(int64_t{1} << 62, 2, "bytes"), ShapeError);
  EXPECT_THROW(checked_add(INT64_MAX, 1, "bytes"), ShapeError);
  EXPECT_EQ(checked_mul(3, 4, "bytes"), 12);
}

TEST(Shape, HasAtMostEightDimensions) {
  EXPECT_NO_THROW(Shape::filled(8, 1));
  EXPECT_THROW(Shape::filled(9, 1), ShapeError);
  EXPECT_THROW(Shape(std::vector<int64_t>(9, 1)), ShapeError);
}

TEST(Strides, FollowRowMajorAndChannelsLastOrder) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (Strides{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({2, 0, 4}), (Strides{4, 4, 1}));
  EXPECT_EQ(channels_last_strides({2, 3, 4, 5}), (Strides{60, 1, 15, 3}));
  EXPECT_THROW(channels_last_strides({2, 3}), ShapeError);
}

TEST(Broadcast, StretchesSizesOfOne) {
  EXPECT_EQ(broadcast_shapes("add", {4, 1, 3}, {2, 1}), (Shape{4, 2, 3}));
  EXPECT_EQ(broadcast_shapes("add", {}, {2, 1}), (Shape{2, 1}));
  EXPECT_EQ(broadcast_shapes("add", {0}, {1}), (Shape{0}));
}

TEST(Broadcast, NamesTheOperationAndBothShapes) {
  try {
    broadcast_shapes("add", {4, 3}, {4, 2});
    FAIL() << "accepted";
  } catch (const ShapeError& e) {
    EXPECT_NE(e.message().find("add: shapes [4, 3] and [4, 2]"), std::string::npos) << e.what();
  }
}

TEST(WrapDim, CountsFromTheEnd) {
  EXPECT_EQ(wrap_dim("sum", -1, 3), 2);
  EXPECT_EQ(wrap_dim("sum", 0, 3), 0);
  EXPECT_EQ(wrap_dim("sum", -1, 0), 0);
  EXPECT_THROW(wrap_dim("sum", 3, 3), IndexError);
  EXPECT_THROW(wrap_dim("sum", -4, 3), IndexError);
}

}  // namespace espalier
