#include <espalier/core/array.h>

#include <memory>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier {

TEST(Array, CopiesShareTheStorage) {
  Array a = Array::empty({2, 3}, float32);
  Array b = a;
  b.data<float>()[4] = 7;
  EXPECT_EQ(a.data<float>()[4], 7);
  EXPECT_EQ(a.storage->use_count(), 2);
  EXPECT_EQ(a.bytes(), 24);
}

TEST(Array, MemoryIsAlignedForVectors) {
  for (int64_t n : {1, 3, 100, 10000}) {
    EXPECT_EQ(reinterpret_cast<uintptr_t>(Array::empty({n}, uint8).data()) % 64, 0u);
  }
}

TEST(Array, KnowsItsOrderInMemory) {
  Array rows = Array::empty({2, 3, 4, 5}, float32);
  Array last = Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5}));
  Array wide = rows.expand("expand", {2, 3, 4, 5});
  EXPECT_TRUE(rows.is_contiguous() && rows.is_dense() && !rows.is_channels_last());
  EXPECT_TRUE(!last.is_contiguous() && last.is_dense() && last.is_channels_last());
  EXPECT_TRUE(wide.is_contiguous());
  Array gaps = rows.view({2, 3}, {60, 2}, 0);
  EXPECT_FALSE(gaps.is_dense());
  EXPECT_TRUE(Array::empty_like(gaps).is_contiguous());
  EXPECT_TRUE(Array::empty_like(last, float64).is_channels_last());
}

TEST(Array, SizesOfOneAndZeroDoNotBreakTheOrder) {
  Array one = Array::empty({4, 1, 3}, float32).view({4, 1, 3}, {3, 99, 1}, 0);
  EXPECT_TRUE(one.is_contiguous());
  Array none = Array::empty({0, 3}, float32);
  EXPECT_TRUE(none.is_contiguous() && none.is_dense());
  EXPECT_EQ(none.data(), nullptr);
}

TEST(Array, ExpandsByStridesOfZero) {
  Array column = Array::empty({3, 1}, float32);
  Array a = column.expand("expand", {2, 3, 4});
  EXPECT_EQ(a.strides, (Strides{0, 1, 0}));
  EXPECT_EQ(a.storage, column.storage);
  EXPECT_THROW(column.expand("expand", {2, 4}), ShapeError);
  EXPECT_THROW(column.expand("expand", {3}), ShapeError);
}

TEST(Array, OfAnImpossibleSizeIsRefused) {
  EXPECT_THROW(Array::empty({int64_t{1} << 61, 4}, float32), ShapeError);
  EXPECT_THROW(Array::empty({int64_t{1} << 61}, float64), ShapeError);
  EXPECT_THROW(Array::empty({int64_t{1} << 50}, float32), MemoryError);
}

TEST(Storage, BorrowsAndLetsGo) {
  auto owner = std::make_shared<int>(5);
  std::weak_ptr<int> watch = owner;
  {
    auto s = Storage::borrow(owner.get(), sizeof(int), owner);
    owner.reset();
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(*static_cast<int*>(s->data()), 5);
  }
  EXPECT_TRUE(watch.expired());
}

TEST(ShapesOnly, TakesNoMemory) {
  ShapesOnly scope;
  Array a = Array::empty({int64_t{1} << 40}, float32);
  EXPECT_TRUE(nothing_to_do(a));
  EXPECT_EQ(a.numel(), int64_t{1} << 40);
  EXPECT_THROW(a.data(), ValueError);
}

TEST(ShapesOnly, EndsWithItsScope) {
  { ShapesOnly scope; }
  EXPECT_FALSE(nothing_to_do(Array::empty({1}, float32)));
  EXPECT_TRUE(nothing_to_do(Array::empty({0}, float32)));
}

}  // namespace espalier
