#include <espalier/core/error.h>

#include <gtest/gtest.h>

#include <espalier/core/shape.h>

namespace espalier {

TEST(Error, JoinsThePartsOfItsMessage) {
  try {
    require<ShapeError>(false, "linear: expected ", 3, " features, got ", Shape{2, 4}, ' ', true, " at ",
                        0.1);
    FAIL() << "did not throw";
  } catch (const Error& e) {
    EXPECT_STREQ(e.what(), "linear: expected 3 features, got [2, 4] true at 0.1");
  }
}

TEST(Error, TakesThePlaceItLeftInFront) {
  ShapeError e("expected 2 dimensions");
  e.prepend("blocks.1.conv (Conv2d): ");
  EXPECT_EQ(e.message(), "blocks.1.conv (Conv2d): expected 2 dimensions");
}

TEST(Error, SaysNothingWhenAllIsWell) { EXPECT_NO_THROW(require<ValueError>(true, "never seen")); }

TEST(Text, WritesNumbersInTheShortestFormThatReadsBack) {
  EXPECT_EQ(concat(1.0, ' ', 1e-3, ' ', -7, ' ', uint8_t{200}), "1 0.001 -7 200");
  EXPECT_EQ(concat(INT64_MIN), "-9223372036854775808");
  EXPECT_EQ(concat(float32, '/', boolean), "float32/bool");
}

}  // namespace espalier
