#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::kernels {

// Reductions of `x` to `out`, which has the rank of `x` and size 1 in the dimensions reduced. What is reduced
// is cut in pieces that depend on the shape alone and are put together pair by pair, so that sums are
// accurate and do not depend on the number of threads.

// Sums divided by `divisor`. `out` is of the dtype of `x` when that is floating point, else int64 (no
// divisor).
void sum(Array& out, const Array& x, double divisor = 1);
// The sums of rows [m, n], partial results of few pieces, in double; `out` is [n].
void sum_rows(Array& out, const Array& rows);
void prod(Array& out, const Array& x);
// (sum of (x - center)²) / divisor, its root if asked. `center` has the shape of `out`; null is 0. Floating
// point.
void sum_of_squares(Array& out, const Array& x, const Array* center, double divisor, bool root);
// log(sum of e^(x - center)) + center; where center is infinite, 0 takes its place in the difference.
void log_sum_exp(Array& out, const Array& x, const Array& center);
// The largest and smallest element; NaN where there is one. `x` is not empty.
void max(Array& out, const Array& x);
void min(Array& out, const Array& x);
// How many elements are not zero, in int64.
void count_nonzero(Array& out, const Array& x);

// The first largest (smallest) element along `dim` and its position, in int64. NaN is the largest, and the
// smallest. `values` and `indices` have size 1 in `dim`, which isn't empty.
void arg_extreme(Array& values, Array& indices, const Array& x, int dim, bool largest);
void cumsum(Array& out, const Array& x, int dim);

// What the vectorised code reduces: loops over `x` with their steps, in elements.
struct Reduction {
  struct Loop {
    int64_t size = 1, x = 0, out = 0, center = 0;
  };
  const void* x = nullptr;
  void* out = nullptr;
  const void* center = nullptr;
  DType dtype = DType::float32;
  double divisor = 1;
  bool root = false;
  Loop lane;  // the loop that fills vectors
  bool lane_reduced = false;
  int kept_rank = 0, reduced_rank = 0;  // the other loops, outermost first
  Loop kept[kMaxRank], reduced[kMaxRank];
};
inline constinit Kernel<void(const Reduction&)> reduce_sum, reduce_prod, reduce_squares, reduce_exp,
    reduce_max, reduce_min, reduce_count;

}  // namespace espalier::kernels
