#include <espalier/view/chart.h>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier::view {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Number, IsAsShortAsItsDigitsAllow) {
  EXPECT_EQ(number(0), "0");
  EXPECT_EQ(number(0.012345), "0.0123");
  EXPECT_EQ(number(-1.5), "-1.50");
  EXPECT_EQ(number(123.4), "123");
  EXPECT_EQ(number(15360), "15,360");
  EXPECT_EQ(number(1.2e-7), "1.20e-07");
  EXPECT_EQ(number(NAN), "not a number");
  EXPECT_EQ(number(-INFINITY), "−∞");
}

TEST(Scale, EndsAtRoundNumbersAroundTheValues) {
  Scale s = Scale::over(0.13, 0.92);
  EXPECT_DOUBLE_EQ(s.step, 0.2);
  EXPECT_NEAR(s.low, 0, 1e-12);
  EXPECT_NEAR(s.high, 1, 1e-12);
  EXPECT_DOUBLE_EQ(s.place(0.5), 0.5);
}

TEST(Scale, OfOneValueHasRoomAroundIt) {
  for (double v : {0.0, 3.0, -7.0}) {
    Scale s = Scale::over(v, v);
    EXPECT_LT(s.low, v);
    EXPECT_GT(s.high, v);
  }
}

TEST(LineChart, HasAPointATableAndWordsForItsFigures) {
  std::string html = line_chart({.id = "c",
                                 .title = "Loss <by> epoch",
                                 .x_label = "epoch",
                                 .series = {{"training", {1, 2, 3}, {0.5, 0.25, 0.125}}}})
                         .str();
  EXPECT_THAT(html, HasSubstr("Loss &lt;by&gt; epoch"));
  EXPECT_THAT(html, HasSubstr("training: from 0.500 at epoch 1.00 to 0.125 at epoch 3.00"));
  EXPECT_THAT(html, HasSubstr("<td class=\"number\">0.1250</td>"));
  EXPECT_THAT(html, HasSubstr("role=\"img\" aria-labelledby=\"c-title c-desc\""));
}

TEST(LineChart, OfHugeValuesEndsAndStaysFinite) {
  for (double v : {1e16, 1e300, 1.7e308}) {
    std::string html =
        line_chart({.id = "c", .title = "t", .x_label = "x", .series = {{"a", {1, 2, 3}, {-v, v, v + 4}}}})
            .str();
    EXPECT_LT(html.size(), 20000u);
  }
  std::string close =
      line_chart({.id = "c", .title = "t", .x_label = "x", .series = {{"a", {1, 2}, {1e16, 1e16 + 4}}}})
          .str();
  EXPECT_LT(close.size(), 20000u);
}

TEST(LineChart, LeavesGapsForWhatIsNotFinite) {
  std::string html =
      line_chart({.id = "c", .title = "t", .x_label = "epoch", .series = {{"a", {1, 2, 3}, {1, NAN, 2}}}})
          .str();
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, HasSubstr("not a number"));
}

TEST(LineChart, OfNothingIsAnEmptyFrame) {
  for (bool log : {false, true}) {
    std::string html =
        line_chart({.id = "c", .title = "t", .x_label = "x", .series = {{"a", {}, {}}}, .log_y = log}).str();
    EXPECT_THAT(html, Not(HasSubstr("nan")));
    EXPECT_THAT(html, Not(HasSubstr("inf")));
  }
}

TEST(Histogram, OfOneValueDrawsNothingWrong) {
  trace::Stats s{.mean = 1, .min = 1, .max = 1};
  s.histogram[0] = 5;
  std::string html =
      histogram({.id = "h", .title = "t", .now = s, .before = s}).str() + small_histogram(s, "x").str();
  EXPECT_THAT(html, Not(HasSubstr("nan")));
  EXPECT_THAT(html, Not(HasSubstr("inf")));
}

TEST(Table, MarksHeadsNumbersAndTheSum) {
  std::string html =
      table({"name", "n"}, {{"a", 1}, {"all", 1}}, {.caption = "c", .numbers = {1}, .sum = true}).str();
  EXPECT_THAT(html, HasSubstr("<th scope=\"row\" class=\"text\">a</th><td class=\"number\">1</td>"));
  EXPECT_THAT(html, HasSubstr("<tr class=\"sum\"><th scope=\"row\" class=\"text\">all</th>"));
}

}  // namespace
}  // namespace espalier::view
