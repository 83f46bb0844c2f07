#include <algorithm>

#include <gtest/gtest.h>

#include <espalier/io/file.h>

#include <cli/tool.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

const std::string kErrorsOnly = " 2>&1 >/dev/null";

TEST(Show, prints_the_json_of_a_file_in_its_order) {
  ToolResult r = run_tool("show --json io/golden/float16.safetensors");
  EXPECT_EQ(r.code, 0);
  EXPECT_EQ(r.out, R"({"format":"safetensors","tensors":[{"name":"one","shape":[1],"dtype":"float32"},)"
                   R"({"name":"half","shape":[2],"dtype":"float16"}]})"
                   "\n");
}

TEST(Show, prints_names_shapes_dtypes_and_totals) {
  ToolResult r = run_tool("show io/golden/all_dtypes.safetensors");
  EXPECT_EQ(r.code, 0);
  EXPECT_NE(r.out.find("safetensors, 11 tensors, 23 values, 88 bytes"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("zeta"), std::string::npos);
  EXPECT_NE(r.out.find("[2, 3]  float32"), std::string::npos);
  EXPECT_NE(r.out.find("format: pt"), std::string::npos);
}

TEST(Show, gives_checksums_on_request) {
  ToolResult r = run_tool("show --json --checksum io/golden/float16.safetensors");
  EXPECT_NE(r.out.find(R"("dtype":"float32","crc32":"aca16a6a"})"), std::string::npos) << r.out;
}

TEST(Show, prints_a_run) {
  TemporaryFolder run;
  io::write_file(run / "settings.toml", "model = \"seed-cnn\"\n");
  io::write_file(run / "metrics.jsonl",
                 "{\"epoch\":1,\"train_loss\":2.5}\n{\"epoch\":2,\"train_loss\":0.5}\n");
  ToolResult r = run_tool("show " + (run / ""));
  EXPECT_EQ(r.code, 0);
  EXPECT_NE(r.out.find("model: \"seed-cnn\""), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("train_loss: 0.5"), std::string::npos) << r.out;
  EXPECT_NE(r.out.find("metrics.jsonl"), std::string::npos) << r.out;
  r = run_tool("show --json " + (run / ""));
  EXPECT_EQ(r.out.find(
                R"({"format":"run","settings":{"model":"seed-cnn"},"metrics":{"epoch":2,"train_loss":0.5},)"),
            0u)
      << r.out;
  io::write_file(run / "settings.toml", "model = \n");
  r = run_tool("show " + (run / "") + kErrorsOnly);
  EXPECT_EQ(r.code, 1);
  EXPECT_NE(r.out.find("settings.toml', line 1: "), std::string::npos) << r.out;
}

TEST(Show, fails_with_1_and_one_error_for_what_can_not_be_read) {
  TemporaryFolder folder;
  io::write_file(folder / "x", "not weights");
  for (const std::string& path : {folder / "x", folder / "", folder / "missing"}) {
    ToolResult r = run_tool("show " + path + kErrorsOnly);
    EXPECT_EQ(r.code, 1);
    EXPECT_EQ(r.out.rfind("espalier: error: ", 0), 0u) << r.out;
    EXPECT_EQ(std::count(r.out.begin(), r.out.end(), '\n'), 1) << r.out;
    EXPECT_EQ(run_tool("show " + path + " 2>/dev/null").out, "");
  }
}

TEST(Show, fails_when_its_results_can_not_be_written) {
  EXPECT_EQ(run_tool("show io/golden/float16.safetensors >/dev/full 2>/dev/null").code, 1);
}

TEST(Tool, answers_wrong_usage_with_2) {
  for (const char* arguments : {"", "nonsense", "show", "show --nonsense x", "show a b"}) {
    ToolResult r = run_tool(arguments + kErrorsOnly);
    EXPECT_EQ(r.code, 2) << arguments;
    EXPECT_EQ(r.out.rfind("espalier: error: ", 0), 0u) << r.out;
  }
}

TEST(Tool, prints_help_and_version_as_results) {
  EXPECT_EQ(run_tool("--help").code, 0);
  EXPECT_NE(run_tool("--help").out.find("show"), std::string::npos);
  EXPECT_NE(run_tool("show --help").out.find("--json"), std::string::npos);
  EXPECT_NE(run_tool("--version").out.find('.'), std::string::npos);
}

}  // namespace
}  // namespace espalier
