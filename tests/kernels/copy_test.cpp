#include <gtest/gtest.h>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/walk.h>

namespace espalier {
namespace {

Array numbered(const Shape& shape, DType dtype, const Strides& strides) {
  Array a = Array::empty(shape, dtype, strides);
  visit_dtype(dtype, [&]<class T>(T) {
    for (int64_t i = 0; i < a.numel(); ++i) a.data<T>()[i] = static_cast<Compute<T>>(i % 113);
  });
  return a;
}

// Element (i, j, …) read by its strides.
double value(const Array& a, int64_t number) {
  int64_t at = 0;
  for (int d = a.rank() - 1; d >= 0; --d) {
    at += number % a.shape[d] * a.strides[d];
    number /= a.shape[d];
  }
  return visit_dtype(a.dtype, [&]<class T>(T) { return static_cast<double>(Compute<T>(a.data<T>()[at])); });
}

void expect_same_values(const Array& a, const Array& b) {
  for (int64_t i = 0; i < a.numel(); ++i)
    ASSERT_EQ(value(a, i), value(b, i)) << to_string(a.shape) << ' ' << i;
}

TEST(Copy, ReordersMemoryOfEveryElementSize) {
  for (DType d : {float32, float64, bfloat16, uint8}) {
    for (Shape shape : {Shape{2, 3, 5, 7}, Shape{2, 32, 16, 17}, Shape{1, 33, 40, 3}, Shape{3, 1, 4, 4}}) {
      Array in = numbered(shape, d, channels_last_strides(shape)), out = Array::empty(shape, d);
      kernels::copy(out, in);
      expect_same_values(out, in);
      Array back = Array::empty(shape, d, channels_last_strides(shape));
      kernels::copy(back, out);
      expect_same_values(back, in);
    }
  }
}

TEST(Copy, ConvertsBetweenAllDtypes) {
  for (DType from : {float32, float64, bfloat16, int64, int32, uint8}) {
    for (DType to : {float32, float64, bfloat16, int64, int32, uint8}) {
      Array in = numbered({9, 100}, from, {1, 9}), out = Array::empty({9, 100}, to);
      kernels::copy(out, in);
      expect_same_values(out, in);
    }
  }
}

TEST(Copy, BroadcastsTheInput) {
  Array in = numbered({3, 1}, float32, {1, 1}), out = Array::empty({2, 3, 4}, int32);
  kernels::copy(out, in);
  expect_same_values(out, in.expand("test", {2, 3, 4}));
}

TEST(Walk, JoinsWhatLiesInOnePiece) {
  Array a = Array::empty({4, 5, 6}, float32), column = Array::empty({4, 1, 1}, float32);
  const Array* alone[] = {&a};
  EXPECT_EQ(kernels::walk(alone).rank, 1);
  const Array* both[] = {&a, &column};
  kernels::Walk w = kernels::walk(both);
  EXPECT_EQ(w.rank, 2);
  EXPECT_EQ(w.size[1], 30);
  EXPECT_TRUE(w.linear(0));
  EXPECT_FALSE(w.linear(1));
}

TEST(Walk, GoesInTheOrderOfTheFirstArraysMemory) {
  Array a = Array::empty({2, 3, 4, 5}, float32, channels_last_strides({2, 3, 4, 5}));
  const Array* alone[] = {&a};
  kernels::Walk w = kernels::walk(alone);
  EXPECT_EQ(w.rank, 1);
  EXPECT_TRUE(w.linear(0));
}

}  // namespace
}  // namespace espalier
