#include <espalier/train/run.h>

#include <cmath>
#include <filesystem>

#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/file.h>

#include "temporary_folder.h"

namespace espalier::train {
namespace {

Settings settings() {
  return {.model = "seed-cnn",
          .data = "fashion-mnist",
          .epochs = 2,
          .seed = 7,
          .optimizer = "Adam",
          .lr = 1e-3,
          .image = {1, 28, 28},
          .classes = {"T-shirt/top", "a \"quoted\" name", "naïve"}};
}

TEST(RunFolder, SettingsComeBackAsTheyWere) {
  TemporaryFolder folder;
  Run::create(folder / "r", settings(), "");
  Settings s = Run::open(folder / "r").settings();
  EXPECT_EQ(s.model, "seed-cnn");
  EXPECT_EQ(s.epochs, 2);
  EXPECT_EQ(s.seed, 7u);
  EXPECT_EQ(s.lr, 1e-3);
  EXPECT_EQ(s.image, settings().image);
  EXPECT_EQ(s.classes, settings().classes);
}

TEST(RunFolder, MetricsAreALineAnEpoch) {
  trace::Epoch e{
      .epoch = 1, .step = 938, .train_loss = 0.4161, .train_accuracy = 0.85, .lr = 0.001, .seconds = 2.5};
  EXPECT_EQ(
      to_json(e),
      R"({"epoch":1,"step":938,"train_loss":0.4161,"train_accuracy":0.85,"val_loss":null,"val_accuracy":null,)"
      R"("lr":0.001,"seconds":2.5})");
  trace::Epoch back = epoch_from_json(to_json(e), "test");
  EXPECT_EQ(back.train_loss, e.train_loss);
  EXPECT_FALSE(back.val_loss);
}

TEST(RunFolder, ALossThatIsNotANumberIsWrittenAsNull) {
  trace::Epoch e{.epoch = 1, .train_loss = NAN};
  EXPECT_NE(to_json(e).find("\"train_loss\":null"), std::string::npos);
  EXPECT_TRUE(std::isnan(epoch_from_json(to_json(e), "test").train_loss));
}

void expect_error(const std::string& run, const std::string& part) {
  try {
    Run::open(run);
    ADD_FAILURE() << "no error that says " << part;
  } catch (const FileError& e) {
    EXPECT_NE(e.message().find(part), std::string::npos) << e.what();
  }
}

TEST(RunFolder, DamagedSettingsAreNamed) {
  TemporaryFolder folder;
  Run::create(folder / "r", settings(), "");
  expect_error(folder / "none", "there is no run");
  io::write_file(folder / "r/settings.toml", "model = \n");
  expect_error(folder / "r", "line 1: not valid TOML");
  io::write_file(folder / "r/settings.toml", "model = 3\n");
  expect_error(folder / "r", "`model` is missing or of the wrong kind");
}

TEST(RunFolder, TheNextFreeNameIsFound) {
  TemporaryFolder folder;
  EXPECT_EQ(Run::free_path(folder / "r"), folder / "r");
  Run::create(folder / "r", settings(), "");
  EXPECT_EQ(Run::free_path(folder / "r"), folder / "r-2");
}

TEST(RunFolder, ExistingFoldersAreRefused) {
  TemporaryFolder folder;
  Run::create(folder / "r", settings(), "");
  EXPECT_THROW(Run::create(folder / "r", settings(), ""), FileError);
  EXPECT_THROW(Run::refuse_existing(folder / "r"), FileError);
}

}  // namespace
}  // namespace espalier::train
