#include <espalier/view/training_trace.h>

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace espalier::view {
namespace {

trace::History history(std::initializer_list<std::pair<double, double>> losses) {
  trace::History h;
  for (auto [train, val] : losses) {
    h.push_back({.epoch = static_cast<int64_t>(h.size()) + 1, .train_loss = train, .val_loss = val});
  }
  return h;
}

std::string last(const trace::History& h) { return observation(h, h.size() - 1, 10); }

TEST(Observation, ComparesTheFirstEpochWithGuessing) {
  EXPECT_EQ(last(history({{0.416, 0.34}})), "far below guessing (2.30); learning fast");
  EXPECT_EQ(last(history({{1.9, 1.8}})), "below guessing (2.30); it learns");
  EXPECT_EQ(last(history({{2.31, 2.3}})), "no better than guessing (2.30)");
}

TEST(Observation, SaysByHowMuchTheLossFell) {
  EXPECT_EQ(last(history({{0.4, 0.4}, {0.2, 0.3}})), "loss fell by half or more; still learning fast");
  EXPECT_EQ(last(history({{0.42, 0.4}, {0.286, 0.3}})), "loss fell by a third; still learning fast");
  EXPECT_EQ(last(history({{0.4, 0.4}, {0.3, 0.3}})), "loss fell by a quarter; still learning fast");
  EXPECT_EQ(last(history({{0.286, 0.4}, {0.244, 0.3}})), "loss fell by 15 %; still learning");
  EXPECT_EQ(last(history({{0.2, 0.4}, {0.196, 0.3}})), "loss fell by 2.0 %; slowing down");
  EXPECT_EQ(last(history({{0.2, 0.4}, {0.1999, 0.3}})), "loss hardly moved: a plateau");
  EXPECT_EQ(last(history({{0.2, 0.4}, {0.3, 0.3}})), "training loss rose by 50 %");
}

TEST(Observation, CountsRisesOfTheValidationLossInARow) {
  EXPECT_EQ(last(history({{0.4, 0.3}, {0.3, 0.31}})),
            "validation loss rose while training loss fell: a first sign of overfitting");
  EXPECT_EQ(last(history({{0.4, 0.3}, {0.3, 0.31}, {0.2, 0.32}})),
            "validation loss rose for the second time: overfitting");
  EXPECT_EQ(last(history({{0.4, 0.3}, {0.3, 0.31}, {0.25, 0.30}, {0.2, 0.32}})),
            "validation loss rose while training loss fell: a first sign of overfitting");
}

TEST(Observation, NamesADivergedRun) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_NE(last(history({{0.4, 0.3}, {nan, nan}})).find("diverged"), std::string::npos);
}

TEST(Verdict, NamesTheEpochSinceWhichARunOverfits) {
  EXPECT_EQ(verdict(history({{0.5, 0.4}, {0.4, 0.30}, {0.3, 0.33}, {0.2, 0.36}})),
            "Overfitting since epoch 3: the validation loss was lowest after epoch 2 (0.3000) and has risen "
            "by 20 % "
            "since, while the training loss went from 0.4000 to 0.2000.");
}

TEST(Verdict, NamesTheEpochSinceWhichNothingMoves) {
  EXPECT_EQ(verdict(history({{0.5, 0.5}, {0.4, 0.4}, {0.399, 0.399}, {0.398, 0.3985}})),
            "A plateau since epoch 2: the validation loss stays near 0.3985.");
}

TEST(Verdict, SaysThatARunStillLearnsOrDiverged) {
  EXPECT_EQ(
      verdict(history({{0.5, 0.5}, {0.4, 0.4}})),
      "Still learning: the validation loss fell by 20 % in the last epoch, to 0.4000; more epochs may help.");
  EXPECT_EQ(verdict(history({{0.5, 0.5}})), "One epoch: the validation loss stands at 0.5000.");
  EXPECT_EQ(verdict({}), "No epoch is finished yet.");
  double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(verdict(history({{0.5, 0.5}, {nan, nan}})),
            "The training diverged in epoch 2: its loss is not a number. Try a smaller learning rate.");
}

TEST(TrainingTrace, ARunWithoutValidationShowsDashes) {
  trace::History h = {{.epoch = 1, .train_loss = 0.5, .train_accuracy = 0.8, .seconds = 2.5}};
  EXPECT_EQ(training_line(h, 0, 5, 10),
            "        1/5     0.5000    0.800        -        -      2.5  far below guessing (2.30); learning "
            "fast\n");
}

TEST(LossChart, TheLargestLossHasTheLongestBar) {
  auto chart = loss_chart(history({{0.4, 0.2}, {0.1, 0.2}}));
  std::string longest;
  for (int i = 0; i < 40; ++i) longest += "█";
  EXPECT_NE(chart.find("0.4000  " + longest + "\n"), std::string::npos) << chart;
  EXPECT_EQ(chart.find("0.1000  " + longest), std::string::npos) << chart;
}

TEST(ProbabilityChart, TheLikeliestClassComesFirst) {
  auto chart = probability_chart({0.1, 0.7, 0.2}, {"cat", "dog", "bird"}, 2);
  EXPECT_EQ(chart.find("  dog    70.0 %"), 0u) << chart;
  EXPECT_NE(chart.find("  bird   20.0 %"), std::string::npos) << chart;
  EXPECT_EQ(chart.find("cat"), std::string::npos) << chart;
}

}  // namespace
}  // namespace espalier::view
