#pragma once

#include <cstdint>
#include <type_traits>

namespace espalier {

// Threads that operations run on (default: the processor's cores, or OMP_NUM_THREADS). Values below 1 throw.
void set_num_threads(int n);
int get_num_threads();
// The grain that cuts [0, n) into one piece for each thread: for what has much to prepare for a piece.
int64_t share_of_thread(int64_t n);

// While one lives, operations of this thread run on this thread alone (loader threads do this).
class SerialScope {
 public:
  SerialScope();
  ~SerialScope();
  SerialScope(const SerialScope&) = delete;
  SerialScope& operator=(const SerialScope&) = delete;

 private:
  int before_;
};

namespace detail {
using Range = void (*)(void* body, int64_t begin, int64_t end);
void parallel_for(int64_t n, int64_t grain, void* body, Range call);
}  // namespace detail

// Calls body(begin, end) for pieces that cover [0, n). Pieces begin at multiples of `grain` and run at the
// same time when there is more than one; a thread gets several in turn, as it finds time, so what a call
// prepares must be worth `grain` elements. Nested calls run inline. An exception from a piece reaches the
// caller. What is computed for an element must not depend on where pieces begin, other than by multiples of
// `grain`.
template <class Body>
void parallel_for(int64_t n, int64_t grain, Body&& body) {
  if (n <= 0) return;
  if (n <= grain) return body(int64_t{0}, n);
  using B = std::remove_reference_t<Body>;
  detail::parallel_for(n, grain, const_cast<void*>(static_cast<const void*>(&body)),
                       [](void* b, int64_t begin, int64_t end) { (*static_cast<B*>(b))(begin, end); });
}

}  // namespace espalier
