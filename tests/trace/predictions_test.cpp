#include <espalier/trace/predictions.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

#include <temporary_folder.h>

namespace espalier::trace {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// Images of classes 0, 0, 1, 2, 2 taken for 0, 1, 1, 1, 2.
Predictions five() {
  return {.classes = 3,
          .kept = 2,
          .label = {0, 0, 1, 2, 2},
          .right = {0.9f, 0.2f, 0.6f, 0.05f, 0.5f},
          .top = {0, 1, 1, 0, 1, 0, 1, 2, 2, 0},
          .probability = {0.9f, 0.1f, 0.8f, 0.2f, 0.6f, 0.3f, 0.95f, 0.05f, 0.5f, 0.4f}};
}

TEST(Predictions, ConfusionCountsEachClassTakenForEach) {
  EXPECT_THAT(confusion(five()), ElementsAre(1, 1, 0, 0, 1, 0, 0, 1, 1));
}

TEST(Predictions, EachClassHasPrecisionAndRecall) {
  auto figures = class_figures(five());
  EXPECT_EQ(figures[0].precision, 1);
  EXPECT_EQ(figures[0].recall, 0.5);
  EXPECT_NEAR(figures[1].precision, 1.0 / 3, 1e-12);
  EXPECT_EQ(figures[1].recall, 1);
  EXPECT_EQ(figures[2].images, 2);
}

TEST(Predictions, TheMostConfidentMistakesComeFirst) {
  EXPECT_THAT(confident_mistakes(five(), 10), ElementsAre(3, 1));
  EXPECT_THAT(confident_mistakes(five(), 1), ElementsAre(3));
}

TEST(Predictions, ComeBackFromTheirFile) {
  TemporaryFolder folder;
  std::string path = folder / "p.safetensors";
  write_predictions(path, five());
  Predictions p = read_predictions(path);
  EXPECT_EQ(p.classes, 3);
  EXPECT_EQ(p.kept, 2);
  EXPECT_EQ(p.label, five().label);
  EXPECT_EQ(p.top, five().top);
  EXPECT_EQ(p.right, five().right);
  EXPECT_EQ(p.probability, five().probability);
}

void expect_refused(const Predictions& p, const std::string& why) {
  TemporaryFolder folder;
  std::string path = folder / "p.safetensors";
  write_predictions(path, p);
  try {
    read_predictions(path);
    ADD_FAILURE() << why;
  } catch (const FileError& e) {
    EXPECT_THAT(e.message(), testing::AllOf(HasSubstr(path), HasSubstr(why)));
  }
}

TEST(Predictions, WhatCannotBeIsRefused) {
  Predictions p = five();
  p.label[0] = 3;
  expect_refused(p, "there is no class 3 of 3");
  p = five();
  p.top[1] = -1;
  expect_refused(p, "there is no class -1 of 3");
  p = five();
  p.classes = 1;
  expect_refused(p, "it keeps 2 of 1 classes");
  TemporaryFolder folder;
  io::write_safetensors(folder / "other.safetensors", std::vector<io::NamedArray>{});
  EXPECT_THROW(read_predictions(folder / "other.safetensors"), FileError);
}

TEST(Pictures, AreFoundByTheirPlaceInTheData) {
  TemporaryFolder folder;
  Pictures was{{3, 17}, Array::empty({2, 1, 2, 2}, uint8), {17}};
  for (int i = 0; i < 8; ++i) was.images.data<uint8_t>()[i] = static_cast<uint8_t>(i);
  write_pictures(folder / "p.safetensors", was);
  Pictures is = read_pictures(folder / "p.safetensors");
  EXPECT_EQ(is.index, was.index);
  EXPECT_EQ(is.traced, was.traced);
  EXPECT_EQ(is.images.data<uint8_t>()[7], 7);
  EXPECT_EQ(is.find(17), 1);
  EXPECT_EQ(is.find(4), -1);
}

}  // namespace
}  // namespace espalier::trace
