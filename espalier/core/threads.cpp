#include <espalier/core/threads.h>

#include <algorithm>
#include <atomic>
#include <exception>

#include <espalier/core/error.h>

// The OpenMP runtime of GCC, which oneDNN uses as well, called by its own interface: one runtime in the
// process whichever compiler builds this file.
extern "C" {
void GOMP_parallel(void (*fn)(void*), void* data, unsigned num_threads, unsigned flags);
int omp_get_max_threads(void);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
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

struct Job {
  int64_t n, grain;
  void* body;
  detail::Range call;
  std::atomic<bool> failed{false};
  std::exception_ptr error;
  char started = 0, finished = 0;  // tokens for ThreadSanitizer
};

void run_share(void* data) {
  auto& job = *static_cast<Job*>(data);
  observe(&job.started);
  int64_t pieces = (job.n + job.grain - 1) / job.grain;
  int64_t threads = omp_get_num_threads(), me = omp_get_thread_num();
  int64_t first = pieces * me / threads, last = pieces * (me + 1) / threads;
  try {
    if (first < last) job.call(job.body, first * job.grain, std::min(last * job.grain, job.n));
  } catch (...) {
    if (!job.failed.exchange(true)) job.error = std::current_exception();
  }
  publish(&job.finished);
}

}  // namespace

namespace {

std::atomic<int> wanted{0};     // by set_num_threads; 0 leaves it to OpenMP
thread_local int followed = 0;  // the number that this thread took over last
thread_local int serial_scopes = 0;

// OpenMP keeps a number for every thread; oneDNN goes by it as well.
void follow() {
  int n = wanted.load(std::memory_order_relaxed);
  if (n != followed && serial_scopes == 0) omp_set_num_threads(followed = n);
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

namespace detail {

void parallel_for(int64_t n, int64_t grain, void* body, Range call) {
  int64_t pieces = (n + grain - 1) / grain;
  auto threads = static_cast<unsigned>(std::min<int64_t>(get_num_threads(), pieces));
  if (threads <= 1 || omp_in_parallel()) return call(body, 0, n);
  Job job{n, grain, body, call, {}, {}};
  publish(&job.started);
  GOMP_parallel(run_share, &job, threads, 0);
  observe(&job.finished);
  if (job.error) std::rethrow_exception(job.error);
}

}  // namespace detail
}  // namespace espalier
