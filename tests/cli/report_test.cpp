#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/io/file.h>
#include <espalier/models/seed_cnn.h>
#include <espalier/nn/structure.h>
#include <espalier/train/run.h>

#include <cli/tool.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

using testing::HasSubstr;

class Report : public testing::Test {
 protected:
  // A run of a model that the tool does not know, with weights and one epoch.
  Report() {
    auto run = train::Run::create(folder_ / "run",
                                  {.model = "mine", .data = "made <up>", .classes = {"a", "b"}}, "made up");
    models::SeedCnn model{.classes = 2};
    run.keep(nn::structure(model.ref()));
    model.save(run.file("weights.safetensors"));
    run.append({.epoch = 1, .step = 1, .train_loss = 0.5, .train_accuracy = 0.75});
  }
  TemporaryFolder folder_;
};

TEST_F(Report, is_written_into_the_run_s_folder) {
  ToolResult r = run_tool("report " + (folder_ / "run"));
  EXPECT_EQ(r.code, 0) << r.out;
  EXPECT_THAT(r.out, HasSubstr("run/report.html"));
  std::string page = io::read_file(folder_ / "run/report.html");
  EXPECT_THAT(page, HasSubstr("<!doctype html>"));
  EXPECT_THAT(page, HasSubstr("made &lt;up&gt;"));
  EXPECT_THAT(page, HasSubstr("default-src &#39;none&#39;"));
}

TEST_F(Report, goes_where_it_is_sent) {
  EXPECT_EQ(run_tool("report " + (folder_ / "run") + " -o " + (folder_ / "page.html")).code, 0);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "page.html"));
  EXPECT_FALSE(std::filesystem::exists(folder_ / "run/report.html"));
}

TEST_F(Report, says_what_a_run_did_not_keep) {
  std::filesystem::remove(folder_ / "run/structure.json");
  std::filesystem::remove(folder_ / "run/weights.safetensors");
  std::filesystem::remove(folder_ / "run/metrics.jsonl");
  EXPECT_EQ(run_tool("report " + (folder_ / "run")).code, 0);
  std::string page = io::read_file(folder_ / "run/report.html");
  EXPECT_THAT(page, HasSubstr("has no structure.json"));
  EXPECT_THAT(page, HasSubstr("No epoch of this run is finished yet."));
}

TEST_F(Report, refuses_what_is_damaged_and_names_it) {
  for (const char* name : {"structure.json", "settings.toml", "weights.safetensors", "metrics.jsonl"}) {
    std::string path = (folder_ / "run/") + name, before = io::read_file(path);
    io::write_file(path, "{\"no\": [\n");
    ToolResult r = run_tool("report " + (folder_ / "run") + " 2>&1 >/dev/null");
    EXPECT_EQ(r.code, 1) << name;
    EXPECT_THAT(r.out, HasSubstr(name));
    io::write_file(path, before);
  }
}

TEST_F(Report, summary_shows_the_modules_of_a_run) {
  ToolResult r = run_tool("summary " + (folder_ / "run"));
  EXPECT_EQ(r.code, 0);
  EXPECT_THAT(r.out, HasSubstr("├─ conv (Conv2d)"));
  EXPECT_THAT(r.out, HasSubstr("Parameters: 66,434 (66,434 trainable, 0 not)"));
  r = run_tool("summary " + (folder_ / "run") + " --input 1,3,32,32 2>&1 >/dev/null");
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr("leave --input out"));
}

TEST_F(Report, summary_of_weights_is_a_tree_or_that_of_a_model) {
  std::string weights = folder_ / "run/weights.safetensors";
  ToolResult r = run_tool("summary " + weights);
  EXPECT_THAT(r.out, HasSubstr("conv"));
  EXPECT_THAT(r.out, HasSubstr("66,434"));
  r = run_tool("summary " + weights + " --model seed-cnn --input 4,3,32,32");
  EXPECT_EQ(r.code, 0);
  EXPECT_THAT(r.out, HasSubstr("[4, 2]"));
  EXPECT_EQ(run_tool("summary " + weights + " --input 4,3,32,32 2>/dev/null").code, 1);
  EXPECT_EQ(run_tool("summary " + weights + " --model seed-cnn --input 4,1,9,9 2>/dev/null").code, 1);
}

}  // namespace
}  // namespace espalier
