#include <espalier/kernels/packed.h>

#include <espalier/kernels/elementwise.h>

#include <gtest/gtest.h>

namespace espalier::kernels {
namespace {

Array filled(const Shape& shape, double value) {
  Array a = Array::empty(shape, DType::float32);
  fill(a, value);
  return a;
}

// Asks for w's copy; counts how often it is made.
struct Asked {
  int made = 0;
  Array operator()(const Array& w, int64_t order = kPackedOthers) {
    return packed(w, order, [&] {
      ++made;
      Array y = Array::empty(w.shape, w.dtype);
      copy(y, w);
      return y;
    });
  }
};

TEST(Packed, IsKeptFromTheSecondTimeOn) {
  int64_t before = packed_bytes();
  Asked ask;
  {
    Array w = filled({4, 4}, 1);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(*ask(w).data<float>(), 1);
    EXPECT_EQ(ask.made, 2);
    EXPECT_EQ(packed_bytes(), before + 64);
  }
  EXPECT_EQ(packed_bytes(), before) << "it goes with the weights";
}

TEST(Packed, AWriteForgetsIt) {
  int64_t before = packed_bytes();
  Asked ask;
  Array w = filled({4, 4}, 1);
  for (int i = 0; i < 3; ++i) ask(w);
  fill(w, 2);
  w.storage->bump_version();
  EXPECT_EQ(*ask(w).data<float>(), 2);
  EXPECT_EQ(ask.made, 3);
  EXPECT_EQ(packed_bytes(), before);
}

TEST(Packed, OrdersAndViewsAreKeptApart) {
  Asked ask;
  Array w = filled({4, 4}, 1), row = w.view({4}, {1}, 4);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(ask(w).shape, (Shape{4, 4}));
    EXPECT_EQ(ask(row).shape, Shape{4});
    ask(w, kPackedOthers + 1);
  }
  EXPECT_EQ(ask.made, 6);
}

TEST(Packed, NothingIsKeptOfMemoryThatOthersMayWrite) {
  Asked ask;
  Array w = filled({4, 4}, 1);
  w.storage->expose();
  for (int i = 0; i < 3; ++i) ask(w);
  EXPECT_EQ(ask.made, 3);
  float block[4] = {};
  Array borrowed{Storage::borrow(block, sizeof block, nullptr), 0, {4}, {1}, DType::float32};
  for (int i = 0; i < 3; ++i) ask(borrowed);
  EXPECT_EQ(ask.made, 6);
}

TEST(Packed, NoMoreThanTheLimitIsKept) {
  Asked ask;
  set_packed_limit(packed_bytes() + 100);
  Array a = filled({4, 4}, 1), b = filled({4, 4}, 1);
  for (int i = 0; i < 3; ++i) ask(a), ask(b);
  EXPECT_EQ(ask.made, 2 + 3);
  set_packed_limit(int64_t{2} << 30);
}

TEST(Packed, TogetherItIsKeptUntilOneOfThemChanges) {
  int64_t before = packed_bytes();
  Array w = filled({4, 4}, 1), a = filled({4}, 1);
  int made = 0;
  auto ask = [&](const Array& other, double setting = 0, bool cheap = false) {
    return packed_together(
        w, {&other}, setting, kPackedScaled,
        [&] {
          ++made;
          return filled({4}, setting);
        },
        cheap);
  };
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(a).storage);
  EXPECT_EQ(made, 1);
  EXPECT_EQ(*ask(a, 2).data<float>(), 2) << "another setting";
  for (const Array& changed : {a, w}) {
    for (int i = 0; i < 3; ++i) ask(a);
    int until_now = made;
    changed.storage->bump_version();
    for (int i = 0; i < 3; ++i) ask(a);
    EXPECT_EQ(made, until_now + 1);
  }
  int until_now = made;
  for (int i = 0; i < 3; ++i) {
    Array other = filled({4}, 1);  // each time of its own, if perhaps at the same address
    ask(other);
  }
  EXPECT_EQ(made, until_now + 3);
  w.storage->expose();
  EXPECT_FALSE(ask(a).storage) << "not worth it for once";
  EXPECT_TRUE(ask(a, 0, true).storage);
  w = Array();
  EXPECT_EQ(packed_bytes(), before);
}

TEST(Packed, WhatIsDearIsMadeWhenItIsAskedForAgain) {
  Array w = filled({4, 4}, 1);
  int made = 0;
  auto ask = [&] { return packed_if_again(w, kPackedSplit, [&] { return ++made, filled({4}, 1); }); };
  EXPECT_FALSE(ask().storage);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask().storage);
  EXPECT_EQ(made, 1);
  w.storage->bump_version();
  EXPECT_FALSE(ask().storage);
}

}  // namespace
}  // namespace espalier::kernels
