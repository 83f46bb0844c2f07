#include <espalier/kernels/loss.h>

#include <algorithm>
#include <vector>

#include <espalier/core/threads.h>
#include <espalier/kernels/row_major.h>

namespace espalier::kernels {
namespace {

// x as [N, C, M]; a copy where its strides do not allow that.
Array joined(const Array& x) {
  if (x.rank() == 1) return x.view({1, x.shape[0], 1}, {0, x.strides[0], 0}, x.offset);
  if (x.rank() == 2) return x.view({x.shape[0], x.shape[1], 1}, {x.strides[0], x.strides[1], 0}, x.offset);
  int64_t inner = 1;
  bool joins = true;
  for (int d = x.rank() - 1; d >= 2; --d) {
    joins = joins && x.strides[d] == inner * x.strides.back();
    inner *= x.shape[d];
  }
  Array a = joins ? x : row_major(x);
  return a.view({x.shape[0], x.shape[1], inner}, {a.strides[0], a.strides[1], a.strides.back()}, a.offset);
}

// Calls f(position, label, place of the label's element in x) for the labels that are not ignored.
template <class F>
void each_label(const Array& x, const Labels& labels, F&& f) {
  const int64_t* index = labels.index.data<int64_t>();
  int64_t inner = x.shape[2];
  parallel_for(labels.index.numel(), 4096, [&](int64_t begin, int64_t end) {
    for (int64_t p = begin; p < end; ++p) {
      if (index[p] == labels.ignore) continue;
      f(p, index[p], p / inner * x.strides[0] + index[p] * x.strides[1] + p % inner * x.strides[2]);
    }
  });
}

Strides class_rows_strides(const Shape& shape) {
  Strides strides = shape;
  int classes = shape.rank() == 1 ? 0 : 1;
  strides[classes] = 1;
  int64_t step = shape[classes];
  for (int d = shape.rank() - 1; d >= 0; --d) {
    if (d == classes) continue;
    strides[d] = step;
    step *= shape[d];
  }
  return strides;
}

bool lies_so(const Array& x, const Strides& strides) {
  for (int d = 0; d < x.rank(); ++d) {
    if (x.shape[d] != 1 && x.strides[d] != strides[d]) return false;
  }
  return true;
}

// Rows that are done in one go; the sums of losses depend on it.
int64_t rows_at_once(int64_t classes) { return std::max<int64_t>(1, 16384 / std::max<int64_t>(classes, 1)); }

}  // namespace

void nll(Array& y, const Array& x, const Labels& labels) {
  if (nothing_to_do(y)) return;
  fill(y, 0);
  Array from = joined(x);
  visit_floating(x.dtype, [&]<class T>(T) {
    const T* in = from.data<T>();
    const T* weight = labels.weight ? labels.weight->data<T>() : nullptr;
    T* out = y.data<T>();
    each_label(from, labels, [=](int64_t p, int64_t label, int64_t at) {
      out[p] = -(weight ? weight[label] * in[at] : Compute<T>(in[at]));
    });
  });
}

void nll_backward(Array& gx, const Array& g, const Labels& labels) {
  if (nothing_to_do(gx)) return;
  fill(gx, 0);
  Array from = row_major(g), to = joined(gx);
  visit_floating(gx.dtype, [&]<class T>(T) {
    const T* in = from.data<T>();
    const T* weight = labels.weight ? labels.weight->data<T>() : nullptr;
    T* out = to.data<T>();
    each_label(to, labels, [=](int64_t p, int64_t label, int64_t at) {
      out[at] = -(weight ? weight[label] * in[p] : Compute<T>(in[p]));
    });
  });
}

Array class_rows(const Array& x) {
  Strides strides = class_rows_strides(x.shape);
  Array a = x;
  if (!lies_so(x, strides)) copy(a = Array::empty(x.shape, x.dtype, strides), x);
  int64_t classes = x.shape[x.rank() == 1 ? 0 : 1], rows = 1;
  for (int d = 0; d < x.rank(); ++d) rows *= d == (x.rank() == 1 ? 0 : 1) ? 1 : x.shape[d];
  return a.view({rows, classes}, {classes, 1}, a.offset);
}

Array class_rows_like(const Array& x) { return Array::empty(x.shape, x.dtype, class_rows_strides(x.shape)); }

void cross_entropy(Array& y, const CrossEntropy& rows, const Labels& labels, double divisor) {
  if (nothing_to_do(y)) return;
  int64_t count = rows.x.shape[0], step = rows_at_once(rows.x.shape[1]);
  std::vector<double> sums((count + step - 1) / step);
  parallel_for(count, step, [&](int64_t begin, int64_t end) {
    for (int64_t r = begin; r < end; r += step) {
      cross_entropy_rows(rows, labels, r, std::min(r + step, end), &sums[r / step]);
    }
  });
  double sum = 0;
  for (double s : sums) sum += s;
  fill(y, sum / divisor);
}

void cross_entropy_backward(Array& gx, const Array& g, const CrossEntropy& rows, const Labels& labels,
                            double divisor) {
  if (nothing_to_do(gx)) return;
  double scale = 0;
  visit_floating(g.dtype, [&]<class T>(T) { scale = *g.data<T>() / divisor; });
  parallel_for(rows.x.shape[0], rows_at_once(rows.x.shape[1]), [&](int64_t begin, int64_t end) {
    cross_entropy_backward_rows(gx, rows, labels, scale, begin, end);
  });
}

}  // namespace espalier::kernels
