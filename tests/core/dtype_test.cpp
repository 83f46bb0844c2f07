#include <espalier/core/dtype.h>

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include <espalier/core/scalar.h>

namespace espalier {

TEST(DType, HasPyTorchsNames) {
  EXPECT_EQ(name(float32), "float32");
  EXPECT_EQ(name(bfloat16), "bfloat16");
  EXPECT_EQ(name(boolean), "bool");
}

TEST(DType, PromotesAsPyTorchDoes) {
  EXPECT_EQ(promote_types(bfloat16, float32), float32);
  EXPECT_EQ(promote_types(int64, bfloat16), bfloat16);
  EXPECT_EQ(promote_types(uint8, boolean), uint8);
  EXPECT_EQ(promote_types(uint8, int32), int32);
  EXPECT_EQ(promote_types(float64, float32), float64);
}

TEST(Scalar, RaisesTheDTypeOnlyByKind) {
  EXPECT_EQ(promote_types(float32, Scalar(2.0)), float32);
  EXPECT_EQ(promote_types(bfloat16, Scalar(2)), bfloat16);
  EXPECT_EQ(promote_types(int32, Scalar(2.5f)), float32);
  EXPECT_EQ(promote_types(boolean, Scalar(2)), int64);
  EXPECT_EQ(promote_types(boolean, Scalar(true)), boolean);
}

TEST(Scalar, KeepsLargeIntegers) {
  int64_t large = (int64_t{1} << 62) + 1;
  EXPECT_EQ(Scalar(large).to<int64_t>(), large);
  EXPECT_EQ(Scalar(2.9).to<int64_t>(), 2);
  EXPECT_TRUE(Scalar(0.5).to<bool>());
}

TEST(BFloat16, RoundsToNearestTiesToEven) {
  auto bits = [](float x) { return BFloat16(x).bits; };
  auto f = [](uint32_t u) { return std::bit_cast<float>(u); };
  EXPECT_EQ(bits(f(0x3f808000)), 0x3f80);  // a tie, down to even
  EXPECT_EQ(bits(f(0x3f818000)), 0x3f82);  // a tie, up to even
  EXPECT_EQ(bits(f(0x3f808001)), 0x3f81);
  EXPECT_EQ(bits(f(0x3f807fff)), 0x3f80);
  EXPECT_EQ(bits(-0.0f), 0x8000);
  EXPECT_EQ(bits(std::numeric_limits<float>::max()), 0x7f80);  // rounds to infinity
}

TEST(BFloat16, KeepsInfinityAndNaN) {
  EXPECT_EQ(float(BFloat16(-INFINITY)), -INFINITY);
  EXPECT_TRUE(std::isnan(float(BFloat16(NAN))));
  EXPECT_TRUE(
      std::isnan(float(BFloat16(std::bit_cast<float>(0x7f800001u)))));  // its mantissa is in the lost half
}

TEST(BFloat16, RoundTripsEveryValue) {
  for (uint32_t u = 0; u < 0x10000; ++u) {
    BFloat16 b;
    b.bits = static_cast<uint16_t>(u);
    if (std::isnan(float(b))) continue;
    ASSERT_EQ(BFloat16(float(b)).bits, u);
  }
}

TEST(DType, IsVisitedWithItsType) {
  for (DType d : {float32, float64, bfloat16, int64, int32, uint8, boolean}) {
    visit_dtype(d, [&]<class T>(T) {
      EXPECT_EQ(dtype_of<T>(), d);
      EXPECT_EQ(sizeof(T), static_cast<size_t>(itemsize(d)));
    });
  }
}

}  // namespace espalier
