#include <espalier/core/threads.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <exception>

#include <espalier/core/error.h>
#include <espalier/core/workers.h>

// The OpenMP runtime of GCC, which oneDNN uses, called by its own interface: one runtime in the process
// whichever compiler builds this file.
extern "C" {
void GOMP_parallel(void (*fn)(void*), void* data, unsigned num_threads, unsigned flags);
int omp_get_max_threads(void);
int omp_get_thread_num(void);
int omp_in_parallel(void);
void omp_set_num_threads(int);
}

#if defined(__SANITIZE_THREAD__)
#define ESPALIER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define ESPALIER_TSAN 1
#endif
#endif
#ifdef ESPALIER_TSAN
extern "C" {
void __tsan_acquire(void*);
void __tsan_release(void*);
}
#endif

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

// libgomp's barriers are invisible to ThreadSanitizer: what a region's start and end order is said here.
void publish([[maybe_unused]] void* token) {
#ifdef ESPALIER_TSAN
  __tsan_release(token);
#endif
}
void observe([[maybe_unused]] void* token) {
#ifdef ESPALIER_TSAN
  __tsan_acquire(token);
#endif
}

struct Pieces {
  int64_t first, last;
};

// Pieces that nobody has taken yet. Half of them at a time are taken, by the thread they were given to from
// the front, by others, once they have nothing left, from the back: so a thread that was held up does not
// keep the others waiting, and otherwise each works on the same part of the data in every loop.
class alignas(64) Share {
 public:
  void give(Pieces p) { left_.store(p.first << 32 | p.last, std::memory_order_relaxed); }

  Pieces take(bool front) {
    for (int64_t now = left_.load(std::memory_order_relaxed);;) {
      int64_t first = now >> 32, last = now & kMost, half = (last - first + 1) / 2;
      Pieces taken = front ? Pieces{first, first + half} : Pieces{last - half, last};
      Pieces rest = front ? Pieces{taken.last, last} : Pieces{first, taken.first};
      if (half == 0 || left_.compare_exchange_weak(now, rest.first << 32 | rest.last)) return taken;
    }
  }

  static constexpr int64_t kMost = 0x7fffffff;  // pieces

 private:
  std::atomic<int64_t> left_;
};

constexpr int64_t kShares = 16;  // more threads than that have a share together

struct Job {
  int64_t n, grain;
  void* body;
  detail::Range call;
  int64_t shares;
  Share share[kShares];
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  char started = 0, finished = 0;  // tokens for ThreadSanitizer

  Job(int64_t n, int64_t grain, int64_t threads, void* body, detail::Range call)
      : n(n), grain(grain), body(body), call(call), shares(std::min(threads, kShares)) {
    int64_t pieces = (n + grain - 1) / grain;
    for (int64_t s = 0; s < shares; ++s) share[s].give({pieces * s / shares, pieces * (s + 1) / shares});
  }

  void work(int64_t me) {
    for (int64_t i = 0; i < shares; ++i) {
      for (Pieces p; p = share[(me + i) % shares].take(i == 0), p.first < p.last;) {
        call(body, p.first * grain, std::min(p.last * grain, n));
      }
    }
  }
};

thread_local bool in_loop = false;

void run_share(void* data, int me) {
  auto& job = *static_cast<Job*>(data);
  in_loop = true;
  try {
    job.work(me);
  } catch (...) {
    if (!job.failed.exchange(true)) job.error = std::current_exception();
  }
  in_loop = false;
}

void run_share_by_openmp(void* data) {
  auto& job = *static_cast<Job*>(data);
  observe(&job.started);
  run_share(data, omp_get_thread_num());
  publish(&job.finished);
}

std::atomic<int> wanted{0};     // by set_num_threads; 0 leaves it to OpenMP
thread_local int followed = 0;  // the number that this thread took over last
thread_local int serial_scopes = 0;

// OpenMP keeps a number for every thread; oneDNN goes by it as well.
void follow() {
  int n = wanted.load(std::memory_order_relaxed);
  if (n != followed && serial_scopes == 0) omp_set_num_threads(followed = n);
}

// libgomp's threads look for news for some milliseconds when they have nothing to do, and would keep
// processors from ours meanwhile. So a model that lets oneDNN use them has them for its loops too.
constexpr auto kOpenmpAwake = std::chrono::seconds(1);
std::atomic<Clock::duration::rep> openmp_used{0};  // when, by the clock; 0: never

bool openmp_is_awake() {
  auto used = openmp_used.load(std::memory_order_relaxed);
  return used && Clock::now().time_since_epoch() - Clock::duration(used) < kOpenmpAwake;
}

void run_by_openmp(Job& job, int threads) {
  publish(&job.started);
  GOMP_parallel(run_share_by_openmp, &job, static_cast<unsigned>(threads), 0);
  observe(&job.finished);
}

}  // namespace

SerialScope::SerialScope() : before_(get_num_threads()) {
  ++serial_scopes;
  omp_set_num_threads(1);
}
SerialScope::~SerialScope() {
  --serial_scopes;
  omp_set_num_threads(before_);
  follow();
}

void set_num_threads(int n) {
  require<ValueError>(n >= 1, "set_num_threads: at least 1 thread is needed, got ", n);
  wanted = n;
  if (serial_scopes == 0) omp_set_num_threads(followed = n);
}

int get_num_threads() {
  follow();
  return omp_get_max_threads();
}

int64_t share_of_thread(int64_t n) { return (n + get_num_threads() - 1) / get_num_threads(); }

namespace detail {

void note_openmp() { openmp_used.store(Clock::now().time_since_epoch().count(), std::memory_order_relaxed); }

void parallel_for(int64_t n, int64_t grain, void* body, Range call) {
  int64_t pieces = (n + grain - 1) / grain, threads = std::min<int64_t>(get_num_threads(), pieces);
  if (threads <= 1 || in_loop || omp_in_parallel()) return call(body, 0, n);
  Job job(n, grain * (1 + pieces / Share::kMost), threads, body, call);
  int others = static_cast<int>(threads) - 1;
  if (openmp_is_awake() || !run_with_workers(others, run_share, &job)) run_by_openmp(job, others + 1);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace detail
}  // namespace espalier
