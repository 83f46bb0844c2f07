#include <espalier/core/allocator.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier {
namespace {

constexpr size_t kLarge = 1 << 20;

struct Allocator : testing::Test {
  void SetUp() override { empty_cache(); }
  void TearDown() override {
    set_memory_limit(0);
    empty_cache();
  }
  // Sanitizer builds keep no blocks.
  static bool keeps_blocks() {
    deallocate(allocate(kLarge), kLarge);
    return memory_stats().cached > 0;
  }
};

TEST_F(Allocator, GivesAFreedBlockAgain) {
  if (!keeps_blocks()) GTEST_SKIP() << "blocks are not kept in this build";
  void* p = allocate(kLarge);
  int64_t requests = memory_stats().requests;
  deallocate(p, kLarge);
  void* again = allocate(kLarge - 100);  // of the same size class
  EXPECT_EQ(again, p);
  EXPECT_EQ(memory_stats().requests, requests);
  deallocate(again, kLarge - 100);
}

TEST_F(Allocator, AsksTheSystemForNothingInALoop) {
  if (!keeps_blocks()) GTEST_SKIP() << "blocks are not kept in this build";
  auto step = [] {
    std::vector<std::pair<void*, size_t>> blocks;
    for (size_t bytes : {100, 3000, 70000, 70000, 1000000}) blocks.push_back({allocate(bytes), bytes});
    for (auto [p, bytes] : blocks) deallocate(p, bytes);
  };
  step();
  int64_t requests = memory_stats().requests;
  for (int i = 0; i < 10; ++i) step();
  EXPECT_EQ(memory_stats().requests, requests);
}

TEST_F(Allocator, CountsWhatIsInUse) {
  int64_t before = memory_stats().in_use;
  reset_peak_memory();
  void* a = allocate(kLarge);
  void* b = allocate(kLarge);
  EXPECT_EQ(memory_stats().in_use - before, 2 * static_cast<int64_t>(kLarge));
  deallocate(a, kLarge);
  deallocate(b, kLarge);
  EXPECT_EQ(memory_stats().in_use, before);
  EXPECT_EQ(memory_stats().peak - before, 2 * static_cast<int64_t>(kLarge));
  reset_peak_memory();
  EXPECT_EQ(memory_stats().peak, before);
}

TEST_F(Allocator, GivesKeptBlocksBack) {
  deallocate(allocate(kLarge), kLarge);
  empty_cache();
  EXPECT_EQ(memory_stats().cached, 0);
}

TEST_F(Allocator, RefusesWhatGoesOverTheLimitAndStaysUsable) {
  set_memory_limit(memory_stats().in_use + 3 * kLarge);
  void* p = allocate(2 * kLarge);
  try {
    allocate(2 * kLarge);
    FAIL() << "went over the limit";
  } catch (const MemoryError& e) {
    EXPECT_NE(e.message().find(std::to_string(2 * kLarge)), std::string::npos) << e.what();
  }
  deallocate(p, 2 * kLarge);
  void* other = allocate(3 * kLarge);  // kept blocks make room
  deallocate(other, 3 * kLarge);
}

TEST_F(Allocator, RefusesMoreThanAnyMachineHas) {
  EXPECT_THROW(allocate(size_t{1} << 50), MemoryError);
  EXPECT_THROW(allocate(SIZE_MAX), MemoryError);
}

TEST_F(Allocator, BlocksOfAllSizesAreWholeAndApart) {
  std::mt19937 random(1);
  std::vector<std::pair<unsigned char*, size_t>> blocks;
  for (size_t bytes = 1; bytes < 3000; bytes += 61) blocks.push_back({nullptr, bytes});
  for (int shift = 12; shift < 22; ++shift) {
    for (int off : {-1, 0, 1}) blocks.push_back({nullptr, (size_t{1} << shift) + off});
  }
  for (int round = 0; round < 3; ++round) {
    std::shuffle(blocks.begin(), blocks.end(), random);
    for (size_t i = 0; i < blocks.size(); ++i) {
      blocks[i].first = static_cast<unsigned char*>(allocate(blocks[i].second));
      ASSERT_EQ(reinterpret_cast<uintptr_t>(blocks[i].first) % 64, 0u);
      std::memset(blocks[i].first, static_cast<int>(i), blocks[i].second);
    }
    for (size_t i = 0; i < blocks.size(); ++i) {
      ASSERT_EQ(blocks[i].first[0], static_cast<unsigned char>(i));
      ASSERT_EQ(blocks[i].first[blocks[i].second - 1], static_cast<unsigned char>(i));
      deallocate(blocks[i].first, blocks[i].second);
    }
  }
}

TEST_F(Allocator, BlocksMoveBetweenThreads) {
  std::vector<void*> blocks(500);
  std::thread([&] {
    for (auto& p : blocks) p = allocate(200);
  }).join();
  for (void* p : blocks) deallocate(p, 200);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([] {
      for (size_t i = 1; i < 400; ++i) deallocate(allocate(i * 37), i * 37);
    });
  }
  for (auto& t : threads) t.join();
}

}  // namespace
}  // namespace espalier
