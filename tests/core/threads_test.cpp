#include <espalier/core/threads.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <mutex>
#include <numeric>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/core/workers.h>

namespace espalier {
namespace {

// Of both kinds: our own, and OpenMP's, which do the loops while they are awake.
struct Threads : testing::TestWithParam<bool> {
  void SetUp() override {
    set_num_threads(4);
    if (GetParam()) detail::note_openmp();
  }
  void TearDown() override { set_num_threads(before); }
  int before = get_num_threads();
};

TEST_P(Threads, CoverEveryElementOnce) {
  for (int64_t n : {0, 1, 9, 10, 11, 1000, 1003}) {
    std::vector<int> hits(n);
    parallel_for(n, 10, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++hits[i];
    });
    EXPECT_EQ(std::accumulate(hits.begin(), hits.end(), int64_t{0}), n);
    EXPECT_EQ(std::count(hits.begin(), hits.end(), 1), n);
  }
}

TEST_P(Threads, CoverEveryElementOnceHoweverManyThereAre) {
  for (int threads : {2, 3, 16, 17, 40}) {
    set_num_threads(threads);
    std::vector<std::atomic<int>> hits(1003);
    parallel_for(1003, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) ++hits[i];
    });
    EXPECT_TRUE(std::ranges::all_of(hits, [](int n) { return n == 1; })) << threads;
  }
}

TEST_P(Threads, CoverMorePiecesThanFitIn31Bits) {
  std::atomic<int64_t> elements = 0;
  constexpr int64_t kMany = int64_t{1} << 40;
  parallel_for(kMany, 3, [&](int64_t begin, int64_t end) {
    EXPECT_EQ(begin % 3, 0);
    elements += end - begin;
  });
  EXPECT_EQ(elements, kMany);
}

TEST_P(Threads, BeginPiecesAtMultiplesOfTheGrain) {
  std::mutex mutex;
  std::set<int64_t> begins;
  parallel_for(1003, 10, [&](int64_t begin, int64_t end) {
    EXPECT_TRUE(end % 10 == 0 || end == 1003);
    std::lock_guard lock(mutex);
    begins.insert(begin);
  });
  for (int64_t b : begins) EXPECT_EQ(b % 10, 0);
  EXPECT_GT(begins.size(), 4u);
}

TEST_P(Threads, TakeOverFromOneThatIsHeldUp) {
  using Clock = std::chrono::steady_clock;
  std::atomic<int64_t> done = 0;
  parallel_for(128, 1, [&](int64_t begin, int64_t end) {
    auto give_up = Clock::now() + std::chrono::seconds(20);
    while (begin == 0 && done < 128 - end && Clock::now() < give_up) std::this_thread::yield();
    if (begin == 0) {
      EXPECT_LT(end, 32) << "all of its share at once";
      EXPECT_EQ(done, 128 - end) << "the rest of this thread's share among them";
    }
    done += end - begin;
  });
  EXPECT_EQ(done, 128);
}

// Nobody waits for a thread that takes no part: here because the only other one is busy elsewhere.
TEST_P(Threads, DoWithoutOneThatIsNotThere) {
  std::atomic<bool> there = false, leave = false;
  auto stay = [&](int64_t begin, int64_t) {
    if (begin == 0) {
      there = true;
      while (!leave) std::this_thread::yield();
    }
  };
  set_num_threads(2);
  std::thread other([&] { parallel_for(2, 1, stay); });
  while (!there) std::this_thread::yield();
  std::atomic<int64_t> sum = 0;
  for (int i = 0; i < 20; ++i) parallel_for(100, 1, [&](int64_t b, int64_t e) { sum += e - b; });
  EXPECT_EQ(sum, 20 * 100);
  leave = true;
  other.join();
}

TEST_P(Threads, ComeBackAfterTheySlept) {
  std::atomic<int64_t> sum = 0;
  for (int i = 0; i < 20; ++i) {
    parallel_for(100, 1, [&](int64_t b, int64_t e) { sum += e - b; });
    std::this_thread::sleep_for(std::chrono::milliseconds(i % 4));
  }
  EXPECT_EQ(sum, 20 * 100);
}

// One that is held up long enough for the others, and then for the caller, to fall asleep.
TEST_P(Threads, WaitForTheLastPieceHoweverLongItTakes) {
  for (int64_t slow : {0, 99}) {
    std::atomic<int64_t> sum = 0;
    parallel_for(100, 1, [&](int64_t b, int64_t e) {
      if (b <= slow && slow < e) std::this_thread::sleep_for(std::chrono::milliseconds(20));
      sum += e - b;
    });
    EXPECT_EQ(sum, 100);
  }
}

TEST_P(Threads, RunSmallWorkInTheCaller) {
  std::thread::id id;
  parallel_for(10, 10, [&](int64_t, int64_t) { id = std::this_thread::get_id(); });
  EXPECT_EQ(id, std::this_thread::get_id());
}

TEST_P(Threads, AreAsManyWhoeverAsks) {
  int seen = 0, alone = 0;
  std::thread([&] {
    set_num_threads(3);
    SerialScope serial;
    alone = get_num_threads();
  }).join();
  std::thread([&] { seen = get_num_threads(); }).join();
  EXPECT_EQ(get_num_threads(), 3);
  EXPECT_EQ(seen, 3);
  EXPECT_EQ(alone, 1);
}

TEST_P(Threads, RunNestedLoopsInline) {
  std::atomic<int64_t> sum = 0;
  parallel_for(8, 1, [&](int64_t begin, int64_t end) {
    auto outer = std::this_thread::get_id();
    for (int64_t i = begin; i < end; ++i) {
      parallel_for(100, 1, [&](int64_t b, int64_t e) {
        EXPECT_EQ(std::this_thread::get_id(), outer);
        sum += e - b;
      });
    }
  });
  EXPECT_EQ(sum, 800);
}

TEST_P(Threads, BringAnExceptionToTheCaller) {
  for (int64_t bad : {0, 57, 99}) {
    auto work = [&](int64_t begin, int64_t end) {
      if (begin <= bad && bad < end) throw std::runtime_error("element " + std::to_string(bad));
    };
    EXPECT_THROW(parallel_for(100, 1, work), std::runtime_error);
  }
  std::atomic<int64_t> sum = 0;  // the threads still work
  parallel_for(100, 1, [&](int64_t begin, int64_t end) { sum += end - begin; });
  EXPECT_EQ(sum, 100);
}

TEST_P(Threads, SeeWhatWasWrittenBeforeAndShowWhatTheyWrote) {
  std::vector<int64_t> in(10000), out(10000);
  for (int round = 0; round < 20; ++round) {
    std::iota(in.begin(), in.end(), round);
    parallel_for(10000, 64, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) out[i] = 2 * in[i];
    });
    for (int64_t i = 0; i < 10000; ++i) ASSERT_EQ(out[i], 2 * (i + round));
  }
}

TEST_P(Threads, AreOneInASerialScope) {
  SerialScope scope;
  EXPECT_EQ(get_num_threads(), 1);
  int pieces = 0;
  parallel_for(1000, 1, [&](int64_t, int64_t) { ++pieces; });
  EXPECT_EQ(pieces, 1);
}

TEST_P(Threads, AreSharedByCallersAtTheSameTime) {
  std::atomic<int64_t> sum = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < 3; ++t) {
    callers.emplace_back([&] {
      for (int i = 0; i < 50; ++i) parallel_for(100, 1, [&](int64_t b, int64_t e) { sum += e - b; });
    });
  }
  for (auto& c : callers) c.join();
  EXPECT_EQ(sum, 3 * 50 * 100);
}

TEST_P(Threads, AreAtLeastOne) { EXPECT_THROW(set_num_threads(0), ValueError); }

INSTANTIATE_TEST_SUITE_P(Kinds, Threads, testing::Bool(),
                         [](const auto& info) { return info.param ? "openmp" : "own"; });

}  // namespace
}  // namespace espalier
