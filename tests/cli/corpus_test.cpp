#include <gtest/gtest.h>

#include <cli/tool.h>

namespace espalier {
namespace {

// Files of other people's making, where ESPALIER_CORPUS names a folder that has them.
TEST(Corpus, every_file_is_read_or_refused_as_its_index_says) {
  ToolResult r = run_command("../scripts/check_corpus " ESPALIER_TOOL);
  if (r.code == 77) GTEST_SKIP() << r.out;
  EXPECT_EQ(r.code, 0) << r.out;
}

}  // namespace
}  // namespace espalier
