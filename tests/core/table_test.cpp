#include <espalier/core/table.h>

#include <gtest/gtest.h>

namespace espalier::text {
namespace {

TEST(Table, CountsCharactersAndNotBytes) {
  EXPECT_EQ(width("3×3"), 3u);
  EXPECT_EQ(pad_right("3×3", 5), "3×3  ");
  EXPECT_EQ(pad_left("3×3", 5), "  3×3");
}

TEST(Table, SetsColumnsUnderEachOther) {
  EXPECT_EQ(table({{"name", "n"}, {"conv", "12"}, {"a", "3"}}, {1}),
            "  name   n\n"
            "  conv  12\n"
            "  a      3\n");
}

TEST(Table, GroupsThousands) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(999), "999");
  EXPECT_EQ(grouped(1000), "1,000");
  EXPECT_EQ(grouped(327690), "327,690");
  EXPECT_EQ(grouped(-1234567), "-1,234,567");
}

TEST(Bar, FillsEighths) {
  EXPECT_EQ(bar(0, 4), "");
  EXPECT_EQ(bar(1, 2), "██");
  EXPECT_EQ(bar(0.5, 1), "▌");
  EXPECT_EQ(bar(7, 1), "█");
}

}  // namespace
}  // namespace espalier::text
