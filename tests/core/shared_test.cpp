#include <espalier/core/shared.h>

#include <memory>

#include <gtest/gtest.h>

namespace espalier {
namespace {

TEST(Owner, KeepsAValueUntilItsLastCopyIsGone) {
  auto value = std::make_shared<int>(7);
  std::weak_ptr<int> watch = value;
  Owner owner = std::move(value), other = owner;
  owner = nullptr;
  EXPECT_TRUE(owner == nullptr);
  EXPECT_FALSE(watch.expired());
  other = nullptr;
  EXPECT_TRUE(watch.expired());
}

TEST(Shared, IsOneValueForAllCopies) {
  Shared<int> none, one = Shared<int>::make(1), same = one;
  *one = 2;
  EXPECT_EQ(*same, 2);
  EXPECT_EQ(one.get(), same.get());
  EXPECT_TRUE(none == nullptr && one != nullptr);
}

TEST(Shared, BecomesAnOwner) {
  auto value = std::make_shared<int>(7);
  std::weak_ptr<int> watch = value;
  auto shared = Shared<std::shared_ptr<int>>::make(std::move(value));
  Owner owner = shared;
  shared = nullptr;
  EXPECT_FALSE(watch.expired());
  owner = nullptr;
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace espalier
