#include <gtest/gtest.h>

#include <memory>
#include <string>

#include <espalier/core/callable.h>

namespace espalier::test {
namespace {

TEST(Callable, CallsWhatItKeeps) {
  int offset = 1;
  Callable<int(int)> add = [offset](int x) { return x + offset; };
  offset = 2;
  EXPECT_EQ(add(4), 5);
}

TEST(Callable, IsEmptyUntilItIsGivenAFunction) {
  Callable<int()> f;
  EXPECT_FALSE(f);
  f = [] { return 3; };
  ASSERT_TRUE(f);
  EXPECT_EQ(f(), 3);
  f = {};
  EXPECT_FALSE(f);
}

TEST(Callable, CopiesAreIndependent) {
  Callable<int()> count = [n = 0]() mutable { return ++n; };
  EXPECT_EQ(count(), 1);
  Callable<int()> copy = count;
  EXPECT_EQ(count(), 2);
  EXPECT_EQ(copy(), 2);
  EXPECT_EQ(copy(), 3);
}

TEST(Callable, TakesAPlainFunctionAndPassesReferencesOn) {
  Callable<void(std::string&)> f = +[](std::string& s) { s += "!"; };
  std::string text = "here";
  f(text);
  EXPECT_EQ(text, "here!");
}

TEST(Callable, MovesArgumentsOnAndDropsWhatItKept) {
  auto owner = std::make_shared<int>(7);
  {
    Callable<int(std::unique_ptr<int>)> f = [owner](std::unique_ptr<int> p) { return *p + *owner; };
    Callable<int(std::unique_ptr<int>)> moved = std::move(f);
    EXPECT_FALSE(f);
    EXPECT_EQ(moved(std::make_unique<int>(1)), 8);
    EXPECT_EQ(owner.use_count(), 2);
  }
  EXPECT_EQ(owner.use_count(), 1);
}

}  // namespace
}  // namespace espalier::test
