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

// Where making g here costs less than reading it.
Ref<UnflattenedProduct> ReluBackward::product() const {
  constexpr int64_t kMostDepth = 16, kFewImages = 16;
  auto work = work_behind<UnflattenedProduct>(*g);
  bool pays = work && g->dtype == DType::float32 && y->dtype == g->dtype && y->strides == g->strides &&
              g->shape[0] >= kFewImages && g->shape[1] % ReluOfProductJob::kChannels == 0 &&
              work->a->shape[1] <= kMostDepth;
  return pays ? work : Ref<UnflattenedProduct>();
}

void ReluBackward::compute_from(const UnflattenedProduct& product, Array& gx) const {
  int64_t images = gx.shape[0], channels = gx.shape[1], each = ReluOfProductJob::kImages;
  Array b = product.b(), sums = Array::empty({(images + each - 1) / each, channels}, gx.dtype);
  relu_backward_of_product({.images = images,
                            .columns = b.shape[1],
                            .channels = channels,
                            .depth = b.shape[0],
                            .a = product.a->data<float>(),
                            .b = b.data<float>(),
                            .b_row = b.strides[0],
                            .y = y->data<float>(),
                            .gx = gx.data<float>(),
                            .sums = sums.data<float>()});
  sums_ = Array::empty({channels}, DType::float64);
  sum_rows(sums_, sums);
}

Ref<Storage> ReluBackward::reusable() const {
  if (product()) return {};
  bool alone = g->storage->use_count() == 1 && is_all(*g) && !(g->storage == y->storage);
  return alone ? g->storage : Ref<Storage>();
}

void ReluBackward::compute(Array& gx) const {
  bool alike = has_rows(gx) && g->strides == gx.strides && y->strides == gx.strides && g->dtype == gx.dtype &&
               y->dtype == gx.dtype;
  if (!alike) return relu_backward(gx, *g, *y);
  if (auto made = product()) return compute_from(*made, gx);
  int64_t channels = gx.shape[1], outer = gx.numel() / channels,
          chunk = std::max<int64_t>(1, 16384 / channels);
  DType type = gx.dtype == DType::float64 ? gx.dtype : DType::float32;
  Array sums = Array::empty({(outer + chunk - 1) / chunk, channels}, type);
  relu_backward_rows({gx.dtype, outer, channels, chunk, g->data(), y->data(), gx.data(), sums.data()});
  sums_ = Array::empty({channels}, DType::float64);
  sum_rows(sums_, sums);
}

}  // namespace espalier::kernels
