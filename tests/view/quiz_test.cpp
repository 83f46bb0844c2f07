#include <espalier/view/quiz.h>

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/nn/inspect.h>
#include <espalier/nn/nn.h>
#include <espalier/nn/structure.h>
#include <espalier/ops/creation.h>
#include <espalier/view/insight.h>

namespace espalier::view {
namespace {

using testing::HasSubstr;

struct Net : nn::Module<Net> {
  nn::Conv2d conv{3, 8, 3, {.padding = 1}};
  nn::ReLU relu;
  nn::Linear fc{8 * 6 * 5, 4};
  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

RunData run() {
  Net net;
  RunData r;
  r.name = "net";
  r.settings = {.model = "net", .batch_size = 16, .image = {3, 6, 5}, .classes = {"a", "b", "c", "d"}};
  r.structure = nn::structure(net.ref());
  auto run = [](void* module, const Tensor& x) -> Tensor { return (*static_cast<Net*>(module))(x); };
  r.record = nn::trace_shapes(net.ref(), run, {16, 3, 6, 5});
  r.samples = nn::trace(net.ref(), run, randn({2, 3, 6, 5}), {.values = "*"}).record;
  r.pictures.index = r.pictures.traced = {0, 7};
  for (int64_t e = 0; e < 5; ++e) {
    double accuracy = std::vector{0.6, 0.65, 0.8, 0.82, 0.81}[e];
    r.history.push_back(
        {.epoch = e + 1, .step = 25 * (e + 1), .train_accuracy = accuracy, .val_accuracy = accuracy});
  }
  trace::Predictions p{.classes = 4, .kept = 1};
  p.label = {0, 0, 0, 1, 1, 2, 3};
  p.top = {0, 1, 1, 1, 0, 2, 2};
  p.right = p.probability = std::vector<float>(7, 0.5f);
  r.predictions = p;
  return r;
}

std::vector<Question> all() { return quiz(run(), 1000, 1); }

Question about(const std::string& part) {
  for (const Question& q : all()) {
    if (q.text.find(part) != std::string::npos) return q;
  }
  ADD_FAILURE() << "no question about " << part;
  return {};
}

std::string right(const std::string& part) {
  Question q = about(part);
  return q.choices.empty() ? "" : q.choices[q.right];
}

TEST(Quiz, TheSameSeedGivesTheSameQuiz) {
  RunData r = run();
  auto texts = [&](uint64_t seed) {
    std::string out;
    for (const Question& q : quiz(r, 5, seed)) {
      out += q.text + q.explanation + std::to_string(q.right);
      for (const auto& c : q.choices) out += c;
    }
    return out;
  };
  EXPECT_EQ(texts(3), texts(3));
  EXPECT_NE(texts(3), texts(4));
}

TEST(Quiz, ChoicesAreFourAndAllDifferent) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    for (const Question& q : quiz(run(), 1000, seed)) {
      std::set<std::string> different(q.choices.begin(), q.choices.end());
      EXPECT_EQ(different.size(), 4u) << q.text;
      EXPECT_LT(q.right, 4u);
      EXPECT_FALSE(q.explanation.empty());
    }
  }
}

TEST(Quiz, ThreeQuestionsAreOfThreeKinds) {
  auto questions = quiz(run(), 3, 7);
  ASSERT_EQ(questions.size(), 3u);
  std::set<std::string> begins;
  for (const Question& q : questions) begins.insert(q.text.substr(0, 12));
  EXPECT_EQ(begins.size(), 3u);
  EXPECT_GT(all().size(), 8u);
}

TEST(Quiz, ShapesAreThoseOfTheRecordAndWrongOnesTempt) {
  EXPECT_EQ(right("goes into conv"), "[16, 8, 6, 5]");
  EXPECT_THAT(about("goes into conv").choices, testing::Contains("[16, 8, 4, 3]"));  // without padding
  EXPECT_THAT(about("goes into conv").choices, testing::Contains("[16, 3, 6, 5]"));  // channels kept
  EXPECT_EQ(right("goes into fc"), "[16, 4]");
}

TEST(Quiz, ParametersCountTheBias) {
  EXPECT_EQ(right("How many parameters does conv"), "224");
  EXPECT_THAT(about("How many parameters does conv").choices, testing::Contains("216"));
  EXPECT_EQ(right("How many parameters does fc"), "964");
}

TEST(Quiz, TheBestEpochGainsMostOverTheOneBefore) {
  EXPECT_EQ(right("In which epoch"), "Epoch 1");  // from 0.25 to 0.6
  EXPECT_THAT(about("In which epoch").explanation, HasSubstr("35.0 %"));
}

TEST(Quiz, TheCommonestMistakeHasItsDirection) {
  EXPECT_EQ(right("Which mistake"), "a, taken for b");
  EXPECT_THAT(about("Which mistake").choices, testing::Contains("b, taken for a"));
}

TEST(Quiz, WhatReLUDidIsCountedInTheValues) {
  RunData r = run();
  Question q = about("How many of its values become 0");
  EXPECT_THAT(q.explanation, HasSubstr("Of the 240 values of this image"));
}

TEST(Quiz, ARunWithoutAnythingHasNoQuestions) { EXPECT_TRUE(quiz({.name = "empty"}, 3, 0).empty()); }

TEST(Insight, IsTwoSentencesWithFigures) {
  std::string text = key_insight(run());
  EXPECT_THAT(text,
              HasSubstr("In 5 epochs net came to name 81.0 % of images it had not seen (guessing: 25.0 %)"));
  EXPECT_THAT(text, HasSubstr("fc holds 81.1 % of the parameters while conv does"));
  EXPECT_THAT(text, HasSubstr("its commonest mistake is to take a for b (2 times)."));
  EXPECT_EQ(key_insight({.name = "empty"}), "");
}

}  // namespace
}  // namespace espalier::view
