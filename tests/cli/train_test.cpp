#include <algorithm>
#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/io/file.h>
#include <espalier/train/run.h>

#include <cli/tool.h>
#include <data/files.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

using testing::HasSubstr;

// MNIST's four files with a few images, the lower half of class 0 white and the upper half of class 1.
void write_images(const TemporaryFolder& folder, const std::string& which, uint32_t n) {
  std::string pixels, labels;
  for (uint32_t i = 0; i < n; ++i) {
    std::string black(14 * 28, '\0'), white(14 * 28, '\xff');
    pixels += i % 2 ? white + black : black + white;
    labels.push_back(static_cast<char>(i % 2));
  }
  io::write_file(folder / (which + "-images-idx3-ubyte"), data::idx({n, 28, 28}, pixels));
  io::write_file(folder / (which + "-labels-idx1-ubyte"), data::idx({n}, labels));
}

class Train : public testing::Test {
 protected:
  Train() {
    write_images(folder_, "train", 130);
    write_images(folder_, "t10k", 10);
  }
  std::string train(const std::string& options) const {
    return "train --data mnist:" + (folder_ / "") + " --out " + run_ + " " + options;
  }
  TemporaryFolder folder_;
  std::string run_ = folder_ / "run";
};

const std::string kErrors = " 2>&1 >/dev/null";
const std::string kResults = " 2>/dev/null";

TEST_F(Train, prints_data_flow_training_trace_chart_and_prediction_trace_in_this_order) {
  ToolResult r = run_tool(train("--epochs 2") + kResults);
  ASSERT_EQ(r.code, 0) << r.out;
  std::vector<size_t> places;
  for (const char* part :
       {"padded with black to 32 × 32, grey repeated to 3 channels", "Data flow", "[64, 3, 32, 32]",
        "64 × 32768 features", "64 × 10 class scores (logits)", "Training trace", "1/2", "2/2",
        "Loss by epoch", "Prediction trace", "zeros", "Class probabilities", "The run is in"}) {
    ASSERT_THAT(r.out, HasSubstr(part));
    places.push_back(r.out.find(part));
  }
  EXPECT_TRUE(std::is_sorted(places.begin(), places.end())) << r.out;
  EXPECT_EQ(r.out.find('\r'), std::string::npos);
  EXPECT_EQ(r.out.find('\x1b'), std::string::npos);
}

TEST_F(Train, leaves_a_run_that_predicts) {
  ASSERT_EQ(run_tool(train("--epochs 2 --quiet") + kResults).code, 0);
  auto run = train::Run::open(run_);
  EXPECT_EQ(run.settings().model, "seed-cnn");
  ASSERT_EQ(run.history().size(), 2u);
  EXPECT_EQ(run.history()[1].step, 6);
  Array lower_half = data::plain_image(28, 28, 0, 0, 0);
  for (int64_t c = 0; c < 3; ++c) std::fill_n(lower_half.data<uint8_t>() + c * 784 + 392, 392, uint8_t{255});
  io::write_file(folder_ / "lower.png", data::png(lower_half));
  ToolResult r = run_tool("predict --trace " + run_ + " " + (folder_ / "lower.png") + kResults);
  EXPECT_EQ(r.code, 0);
  EXPECT_THAT(r.out, HasSubstr("lower.png: 0\n"));
  EXPECT_THAT(r.out, HasSubstr("Prediction trace"));
  EXPECT_THAT(r.out, HasSubstr("[1, 32, 32, 32]"));
}

TEST_F(Train, the_same_seed_gives_the_same_run) {
  auto metrics = [&](const std::string& name) {
    run_ = folder_ / name;
    EXPECT_EQ(run_tool(train("--epochs 1 --seed 5") + kResults).code, 0);
    return train::Run::open(run_).history().at(0).train_loss;
  };
  EXPECT_EQ(metrics("a"), metrics("b"));
}

TEST_F(Train, never_touches_a_run_that_exists) {
  std::filesystem::create_directory(run_);
  ToolResult r = run_tool(train("") + kErrors);
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr(run_ + ": there is a run already"));
  EXPECT_TRUE(std::filesystem::is_empty(run_));
}

TEST_F(Train, damaged_data_leaves_nothing_behind) {
  std::string labels = data::idx({130}, std::string(130, '\x0b'));
  io::write_file(folder_ / "train-labels-idx1-ubyte", labels);
  ToolResult r = run_tool(train("") + kErrors);
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr("espalier: error: "));
  EXPECT_THAT(r.out, HasSubstr("11"));
  EXPECT_FALSE(std::filesystem::exists(run_));
}

TEST_F(Train, a_full_disk_is_one_error_and_leaves_nothing_behind) {
  // A limit on the size of files stands for the disk: the weights are larger than 200 blocks of 1 KiB.
  std::string limited =
      "bash -c \"trap '' XFSZ; ulimit -f 200; exec " ESPALIER_TOOL " " + train("--epochs 1 --quiet") + "\"";
  ToolResult r = run_command(limited + kErrors);
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr("initial.safetensors"));
  EXPECT_FALSE(std::filesystem::exists(run_));
}

TEST(Usage, wrong_options_end_with_2_and_say_what_there_is) {
  struct Case {
    const char* arguments;
    const char* message;
  };
  for (auto [arguments, message] : {Case{"train --model nope", "there is no `nope`; there is: seed-cnn"},
                                    Case{"train --data nope", "`nope` is unknown; there is fashion-mnist"},
                                    Case{"train --data mnist", "needs a folder, as in mnist:DIR"},
                                    Case{"train --epochs 0", "must be a number above 0, got `0`"},
                                    Case{"train --batch-size many", "must be a number above 0, got `many`"},
                                    Case{"predict", "run is required"}}) {
    ToolResult r = run_tool(arguments + kErrors);
    EXPECT_EQ(r.code, 2) << arguments;
    EXPECT_THAT(r.out, HasSubstr(message)) << arguments;
  }
}

TEST(Usage, missing_data_says_where_it_was_looked_for) {
  TemporaryFolder folder;
  ToolResult r =
      run_tool("train --data cifar10:" + (folder / "none") + " --out " + (folder / "run") + kErrors);
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr(folder / "none"));
  EXPECT_FALSE(std::filesystem::exists(folder / "run"));
}

}  // namespace
}  // namespace espalier
