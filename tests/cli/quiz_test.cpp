#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/io/file.h>
#include <espalier/train/run.h>

#include <cli/terminal.h>
#include <cli/tool.h>
#include <temporary_folder.h>

namespace espalier {
namespace {

using testing::HasSubstr;
using testing::Not;

class Quiz : public testing::Test {
 protected:
  Quiz() {
    auto run = train::Run::create(
        path_, {.model = "net", .epochs = 5, .batch_size = 16, .image = {1, 4, 4}, .classes = {"a", "b"}},
        "");
    for (int64_t e = 1; e <= 5; ++e)
      run.append({.epoch = e,
                  .step = 25 * e,
                  .train_loss = 1.0 / static_cast<double>(e),
                  .train_accuracy = 1 - 0.4 / static_cast<double>(e)});
  }
  TemporaryFolder folder_;
  std::string path_ = folder_ / "run";
};

TEST_F(Quiz, off_a_terminal_questions_are_printed_and_answers_on_request) {
  ToolResult r = run_tool("quiz " + path_ + " --seed 3 </dev/null");
  EXPECT_EQ(r.code, 0);
  EXPECT_THAT(r.out, HasSubstr("How many updates does the optimizer make in an epoch"));
  EXPECT_THAT(r.out, HasSubstr("   d) "));
  EXPECT_THAT(r.out, Not(HasSubstr("Right is")));
  r = run_tool("quiz " + path_ + " --seed 3 --answers");
  EXPECT_THAT(r.out, HasSubstr(") 25. One update a batch."));
  EXPECT_THAT(r.out, HasSubstr("Key insight: In 5 epochs net"));
  EXPECT_EQ(run_tool("quiz " + path_ + " --seed 3 --answers").out, r.out);
}

TEST_F(Quiz, asks_at_a_terminal_and_counts_what_is_right) {
  Terminal t({"quiz", path_, "--seed", "3"});
  EXPECT_THAT(t.until("Your answer (a to d): "), HasSubstr("\r\n1. "));
  t.type("a\n");
  std::string first = t.until("Your answer (a to d): ");
  EXPECT_TRUE(first.find("Right: a)") != first.npos || first.find("Not so. Right is ") != first.npos);
  t.type("D\n");  // a capital counts as well
  std::string rest = t.rest();
  EXPECT_THAT(rest, HasSubstr(" of 2 right."));
  EXPECT_THAT(rest, HasSubstr("Key insight: In 5 epochs net"));
  EXPECT_EQ(t.wait(), 0);
  EXPECT_TRUE(t.is_sound());
}

TEST_F(Quiz, asks_again_for_what_is_no_answer) {
  Terminal t({"quiz", path_});
  t.until("Your answer (a to d): ");
  for (const char* wrong : {"\n", "e\n", "1\n", "ab\n", "\xc3\xa4\n", "\x1b[A\n"}) {
    t.type(wrong);
    EXPECT_THAT(t.until("Your answer (a to d): "), Not(HasSubstr("Right"))) << wrong;
  }
  t.type("b\n");
  EXPECT_THAT(t.until("Your answer (a to d): "), HasSubstr("Right"));
}

TEST_F(Quiz, ends_quietly_with_the_input) {
  Terminal t({"quiz", path_});
  t.until("Your answer (a to d): ");
  t.type("\x04");  // Ctrl-D
  EXPECT_THAT(t.rest(), Not(HasSubstr("right.")));
  EXPECT_EQ(t.wait(), 0);
  EXPECT_TRUE(t.is_sound());
}

TEST_F(Quiz, is_stopped_by_the_keyboard_and_leaves_the_terminal_sound) {
  Terminal t({"quiz", path_});
  t.until("Your answer (a to d): ");
  t.type("\x03");  // Ctrl-C
  t.rest();
  int status = t.wait();
  EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
  EXPECT_TRUE(t.is_sound());
}

TEST_F(Quiz, says_when_there_are_fewer_questions) {
  EXPECT_THAT(run_tool("quiz " + path_ + " --questions 50").out, HasSubstr("There are 2 questions to ask."));
}

TEST_F(Quiz, a_run_without_anything_is_one_error) {
  train::Run::create(folder_ / "empty", {.image = {1, 4, 4}, .classes = {"a", "b"}}, "");
  ToolResult r = run_tool("quiz " + (folder_ / "empty") + " 2>&1 >/dev/null");
  EXPECT_EQ(r.code, 1);
  EXPECT_THAT(r.out, HasSubstr("nothing to ask about yet"));
}

}  // namespace
}  // namespace espalier
