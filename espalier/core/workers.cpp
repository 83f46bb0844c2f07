#include <espalier/core/workers.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <system_error>
#include <thread>

#include <espalier/core/threads.h>

namespace espalier::detail {
namespace {

using Clock = std::chrono::steady_clock;
using Work = void (*)(void* data, int me);

// A thread that waits looks for news all the time at first, then leaves its processor to others between
// looks, and sleeps in the end. It stays awake for longer than a kernel takes a thread for one whose caches
// are worth waiting for (Linux: 0.5 ms): a thread that was held up on another processor comes over to this
// one when it sleeps.
constexpr auto kAlone = std::chrono::microseconds(20), kAwake = std::chrono::microseconds(1000);

void pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

template <class Ready>
bool is_ready_while_awake(Ready ready) {
  for (auto begin = Clock::now();;) {
    for (int i = 0; i < 32; ++i, pause()) {
      if (ready()) return true;
    }
    auto waited = Clock::now() - begin;
    if (waited > kAwake) return ready();
    if (waited > kAlone) std::this_thread::yield();
  }
}

class Workers {
 public:
  bool run(int others, Work work, void* data) {
    if (taken_.exchange(true, std::memory_order_acquire)) return false;
    others = start(std::min(others, kMost));
    work_ = work, data_ = data;
    uint32_t round = round_of(state_.load(std::memory_order_relaxed)) + 1;
    state_.store(round << kRoundShift | static_cast<uint32_t>(others) << kLimitShift | kOpen);
    state_.notify_all();
    work(data, 0);
    close();
    taken_.store(false, std::memory_order_release);
    return true;
  }

 private:
  // Of the state: how many workers are in, whether more may come, up to which number, and which round it is.
  static constexpr uint32_t kInside = 0xff, kOpen = 0x100;
  static constexpr int kLimitShift = 9, kRoundShift = 17, kMost = 0xff;
  static uint32_t round_of(uint32_t state) { return state >> kRoundShift; }
  static uint32_t limit_of(uint32_t state) { return state >> kLimitShift & kMost; }

  // Sees to it that there are so many, or as many as the system gives; they end with the process.
  int start(int wanted) try {
    for (; threads_ < wanted; ++threads_) {
      std::thread([this, me = static_cast<uint32_t>(threads_ + 1)] {
        SerialScope serial;
        serve(me);
      }).detach();
    }
    return wanted;
  } catch (const std::system_error&) {
    return threads_;
  }

  void serve(uint32_t me) {
    for (uint32_t seen = 0;;) {
      uint32_t now = state_.load(std::memory_order_acquire);
      if (round_of(now) == round_of(seen)) {
        auto is_new = [&] {
          return round_of(now = state_.load(std::memory_order_acquire)) != round_of(seen);
        };
        if (!is_ready_while_awake(is_new)) state_.wait(now, std::memory_order_acquire);
      } else {
        seen = now;
        if (me <= limit_of(now) && enter(now)) {
          work_(data_, static_cast<int>(me));
          leave();
        }
      }
    }
  }

  bool enter(uint32_t now) {
    for (uint32_t round = round_of(now); (now & kOpen) && round_of(now) == round;) {
      if (state_.compare_exchange_weak(now, now + 1, std::memory_order_acquire)) return true;
    }
    return false;
  }

  void leave() {
    uint32_t now = state_.fetch_sub(1, std::memory_order_release) - 1;
    if (!(now & (kOpen | kInside))) state_.notify_all();
  }

  // Nobody comes in any more, and those who are in come out.
  void close() {
    uint32_t now = state_.fetch_and(~kOpen, std::memory_order_acquire) & ~kOpen;
    auto is_empty = [&] { return !((now = state_.load(std::memory_order_acquire)) & kInside); };
    if (!(now & kInside) || is_ready_while_awake(is_empty)) return;
    while (!is_empty()) state_.wait(now, std::memory_order_acquire);
  }

  std::atomic<bool> taken_{false};
  int threads_ = 0;
  Work work_ = nullptr;
  void* data_ = nullptr;
  alignas(64) std::atomic<uint32_t> state_{0};
};

}  // namespace

bool run_with_workers(int others, Work work, void* data) {
  static auto& workers = *new Workers;  // never destroyed: its threads are there until the end
  return workers.run(others, work, data);
}

}  // namespace espalier::detail
