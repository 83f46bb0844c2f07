#include <espalier/core/deferred.h>

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier {
namespace {

constexpr int64_t kSize = 1 << 15;

struct Count : Deferred {
  Count(const Array& out, std::atomic<int>& runs, bool lasting = false)
      : Deferred(out, lasting), runs(runs) {}
  std::atomic<int>& runs;

 protected:
  void compute(Array& out) const override {
    ++runs;
    for (int64_t i = 0; i < out.numel(); ++i) out.data<float>()[i] = static_cast<float>(i);
  }
};

struct Deferral : testing::Test {
  Array put(bool lasting = false) {
    Array a = Array::empty({kSize}, DType::float32);
    put_off_or_compute(a, make_ref<Count>(a, runs, lasting));
    return a;
  }
  std::atomic<int> runs = 0;
};

TEST_F(Deferral, IsOffOutsideAScope) {
  put();
  EXPECT_EQ(runs, 1);
}

TEST_F(Deferral, ComputesWhenSomebodyReads) {
  DeferScope scope;
  Array a = put();
  EXPECT_EQ(runs, 0);
  EXPECT_EQ(a.data<float>()[7], 7);
  EXPECT_EQ(a.data<float>()[kSize - 1], kSize - 1);
  EXPECT_EQ(runs, 1);
}

TEST_F(Deferral, DropsWhatNobodyReads) {
  {
    DeferScope scope;
    put();
  }
  EXPECT_EQ(runs, 0);
}

TEST_F(Deferral, ComputesAtTheEndOfTheOutermostScope) {
  Array a;
  {
    DeferScope outer;
    {
      DeferScope inner;
      a = put();
    }
    EXPECT_EQ(runs, 0);
  }
  EXPECT_EQ(runs, 1);
}

TEST_F(Deferral, LastingWorkWaitsUntilSomethingIsWritten) {
  Array a;
  {
    DeferScope scope;
    a = put(true);
  }
  EXPECT_EQ(runs, 0);
  settle_deferred();
  EXPECT_EQ(runs, 1);
}

TEST_F(Deferral, LeavesSmallArraysAndSharedStoragesAlone) {
  DeferScope scope;
  Array small = Array::empty({10}, DType::float32), large = Array::empty({kSize}, DType::float32);
  Array also = large;
  EXPECT_FALSE(may_put_off(small));
  EXPECT_FALSE(may_put_off(large));
}

TEST_F(Deferral, OneThreadComputesForAllThatRead) {
  DeferScope scope;
  for (int round = 0; round < 50; ++round) {
    Array a = put();
    std::vector<std::thread> readers;
    std::atomic<int> right = 0;
    for (int i = 0; i < 4; ++i) readers.emplace_back([&] { right += a.data<float>()[100] == 100; });
    for (auto& t : readers) t.join();
    EXPECT_EQ(right, 4);
    EXPECT_EQ(runs, round + 1);
  }
}

TEST_F(Deferral, CanBeSwitchedOff) {
  bool before = set_deferral(false);
  {
    DeferScope scope;
    put();
  }
  set_deferral(before);
  EXPECT_EQ(runs, 1);
}

TEST_F(Deferral, NoticesAnInputThatWasWritten) {
  Array a = Array::empty({kSize}, DType::float32);
  Kept kept(a);
  a.storage->bump_version();
  EXPECT_THROW(*kept, ValueError);
}

}  // namespace
}  // namespace espalier
