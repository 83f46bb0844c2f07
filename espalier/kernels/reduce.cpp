#include <espalier/kernels/reduce.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <espalier/core/threads.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/relu.h>

namespace espalier::kernels {
namespace {

using Loop = Reduction::Loop;

constexpr int64_t kShort = 16;  // reduced loops below this do not fill vectors
constexpr int64_t kGrain = 1 << 14;

struct NamedLoop : Loop {
  bool reduced = false;
};

bool joins(const NamedLoop& outer, const NamedLoop& inner) {
  return outer.reduced == inner.reduced && outer.x == inner.x * inner.size &&
         outer.out == inner.out * inner.size && outer.center == inner.center * inner.size;
}

// The loops over x from the outermost in memory to the innermost, those that follow each other joined to one.
int loops_of(const Array& out, const Array& x, const Array* center, NamedLoop* loops) {
  int n = 0;
  for (int d = 0; d < x.rank(); ++d) {
    if (x.shape[d] == 1) continue;
    bool reduced = out.shape[d] == 1;
    loops[n++] = {
        {x.shape[d], x.strides[d], reduced ? 0 : out.strides[d], center && !reduced ? center->strides[d] : 0},
        reduced};
  }
  for (int i = 1; i < n; ++i) {  // stable
    for (int j = i; j > 0 && loops[j - 1].x < loops[j].x; --j) std::swap(loops[j - 1], loops[j]);
  }
  int joined = 0;
  for (int i = 1; i < n; ++i) {
    if (joins(loops[joined], loops[i])) {
      loops[i].size *= loops[joined].size;
      loops[joined] = loops[i];
    } else {
      loops[++joined] = loops[i];
    }
  }
  return n == 0 ? 0 : joined + 1;
}

Reduction plan(Array& out, const Array& x, const Array* center) {
  NamedLoop loops[kMaxRank];
  int n = loops_of(out, x, center, loops);
  Reduction r;
  int lane = n - 1;
  if (n > 0 && loops[lane].reduced && loops[lane].size < kShort) {
    int kept = lane;
    while (kept >= 0 && loops[kept].reduced) --kept;
    if (kept >= 0 && loops[kept].size > loops[lane].size) lane = kept;
  }
  for (int i = 0; i < n; ++i) {
    if (i == lane) r.lane = loops[i], r.lane_reduced = loops[i].reduced;
    else if (loops[i].reduced) r.reduced[r.reduced_rank++] = loops[i];
    else r.kept[r.kept_rank++] = loops[i];
  }
  r.x = x.data();
  r.out = out.data();
  if (center) r.center = center->data();
  r.dtype = x.dtype;
  return r;
}

// What a reduction of no elements gives.
void fill_value(Array& out, double value) {
  visit_dtype(out.dtype, [&]<class T>(T) { std::fill_n(out.data<T>(), out.numel(), static_cast<T>(value)); });
}

void reduce(const Kernel<void(const Reduction&)>& kernel, double of_nothing, Array& out, const Array& x,
            const Array* center = nullptr, double divisor = 1, bool root = false) {
  if (nothing_to_do(out)) return;
  if (x.numel() == 0) return fill_value(out, of_nothing);
  Reduction r = plan(out, x, center);
  r.divisor = divisor;
  r.root = root;
  kernel(r);
}

// Calls f(x offset, out offset) for each line of `x` along `dim`, in parallel. `out` may differ from x in
// `dim`.
template <class F>
void for_each_line(const Array& x, const Array& out, int dim, F&& f) {
  int64_t length = std::max<int64_t>(x.shape[dim], 1), lines = x.numel() / length;
  parallel_for(lines, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      int64_t rest = line, from = 0, to = 0;
      for (int d = x.rank() - 1; d >= 0; --d) {
        if (d == dim) continue;
        from += rest % x.shape[d] * x.strides[d];
        to += rest % x.shape[d] * out.strides[d];
        rest /= x.shape[d];
      }
      f(from, to);
    }
  });
}

}  // namespace

namespace {

// The sums of channels (columns) that a ReLU's gradient put off gives on the way.
bool sums_of_relu_backward(Array& out, const Array& x) {
  auto work =
      out.rank() >= 2 && out.numel() == out.shape[1] ? work_behind<ReluBackward>(x) : Ref<ReluBackward>();
  if (!work) return false;
  x.data();
  if (!work->sums().storage) return false;
  Array row = out.view({out.shape[1]}, {out.strides[1]}, out.offset);
  copy(row, work->sums());
  return true;
}

}  // namespace

void sum(Array& out, const Array& x, double divisor) {
  if (divisor == 1 && !nothing_to_do(out) && sums_of_relu_backward(out, x)) return;
  reduce(reduce_sum, 0 / divisor, out, x, nullptr, divisor);
}
void sum_rows(Array& out, const Array& rows) {
  visit_floating(rows.dtype, [&]<class C>(C) {
    auto* p = rows.data<C>();
    int64_t n = rows.shape[1];
    Array sum = Array::empty({n}, DType::float64);
    for (int64_t c = 0; c < n; ++c) {
      double total = 0;
      for (int64_t k = 0; k < rows.shape[0]; ++k)
        total += static_cast<double>(static_cast<Compute<C>>(p[k * n + c]));
      sum.data<double>()[c] = total;
    }
    copy(out, sum);
  });
}
void prod(Array& out, const Array& x) { reduce(reduce_prod, 1, out, x); }
void sum_of_squares(Array& out, const Array& x, const Array* center, double divisor, bool root) {
  reduce(reduce_squares, 0 / divisor, out, x, center, divisor, root);
}
void log_sum_exp(Array& out, const Array& x, const Array& center) {
  reduce(reduce_exp, -INFINITY, out, x, &center);
}
void max(Array& out, const Array& x) { reduce(reduce_max, 0, out, x); }
void min(Array& out, const Array& x) { reduce(reduce_min, 0, out, x); }
void count_nonzero(Array& out, const Array& x) { reduce(reduce_count, 0, out, x); }

void arg_extreme(Array& values, Array& indices, const Array& x, int dim, bool largest) {
  if (nothing_to_do(values)) return;
  int64_t n = x.shape[dim], step = x.strides[dim];
  visit_dtype(x.dtype, [&]<class T>(T) {
    // `indices` is laid out as `values` is.
    for_each_line(x, values, dim, [&](int64_t from, int64_t to) {
      const T* p = x.data<T>() + from;
      int64_t best = 0;
      Compute<T> extreme = p[0];
      for (int64_t i = 1; i < n && extreme == extreme; ++i) {
        Compute<T> v = p[i * step];
        if (v != v || (largest ? v > extreme : v < extreme)) best = i, extreme = v;
      }
      values.data<T>()[to] = static_cast<T>(extreme);
      indices.data<int64_t>()[to] = best;
    });
  });
}

void cumsum(Array& out, const Array& x, int dim) {
  if (nothing_to_do(out)) return;
  int64_t n = x.shape[dim], step = x.strides[dim], out_step = out.strides[dim];
  visit_dtype(x.dtype, [&]<class T>(T) {
    using Out = std::conditional_t<std::is_integral_v<T>, int64_t, T>;
    using Sum = std::conditional_t<std::is_integral_v<T>, int64_t, double>;
    for_each_line(x, out, dim, [&](int64_t from, int64_t to) {
      Sum sum = 0;
      for (int64_t i = 0; i < n; ++i) {
        sum += static_cast<Compute<T>>(x.data<T>()[from + i * step]);
        out.data<Out>()[to + i * out_step] = static_cast<Out>(sum);
      }
    });
  });
}

}  // namespace espalier::kernels
