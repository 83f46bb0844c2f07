#include <espalier/kernels/relu.h>

#include <algorithm>

#include <espalier/kernels/reduce.h>

namespace espalier::kernels {

void relu(Array& y, const Array& x) {
  if (nothing_to_do(y)) return;
  auto work = work_behind<Fusible>(x);
  if (work && y.strides == x.strides) return work->relu(y);
  elementwise(relu_row, compute_type(y.dtype), y, {x});
}

void relu_backward(Array& gx, const Array& g, const Array& y) {
  if (nothing_to_do(gx)) return;
  if (may_put_off(gx)) return put_off(gx, make_ref<ReluBackward>(gx, g, y));
  elementwise(relu_backward_row, compute_type(gx.dtype), gx, {g, y});
}

namespace {

bool has_rows(const Array& x) {
  return is_floating_point(x.dtype) &&
         (x.rank() == 4 ? x.is_channels_last() : x.rank() == 2 && x.is_contiguous());
}

}  // namespace

Ref<Storage> ReluBackward::reusable() const {
  bool alone = g->storage->use_count() == 1 && is_all(*g) && !(g->storage == y->storage);
  return alone ? g->storage : Ref<Storage>();
}

void ReluBackward::compute(Array& gx) const {
  bool alike = has_rows(gx) && g->strides == gx.strides && y->strides == gx.strides && g->dtype == gx.dtype &&
               y->dtype == gx.dtype;
  if (!alike) return relu_backward(gx, *g, *y);
  int64_t channels = gx.shape[1], outer = gx.numel() / channels,
          chunk = std::max<int64_t>(1, 16384 / channels);
  DType type = gx.dtype == DType::float64 ? gx.dtype : DType::float32;
  Array sums = Array::empty({(outer + chunk - 1) / chunk, channels}, type);
  relu_backward_rows({gx.dtype, outer, channels, chunk, g->data(), y->data(), gx.data(), sums.data()});
  sums_ = Array::empty({channels}, DType::float64);
  sum_rows(sums_, sums);
}

}  // namespace espalier::kernels
