#include <espalier/kernels/flattened.h>

#include <optional>

#include <espalier/kernels/channels_last.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/matmul.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/row_major.h>
#include <espalier/kernels/transposed.h>

namespace espalier::kernels {
namespace {

class Flattened : public Deferred {
 public:
  // A tape keeps it for the gradient of the weights, so it lasts.
  Flattened(const Array& flat, const Array& x) : Deferred(flat, true), x(x) {}
  const Kept x;

 protected:
  void compute(Array& flat) const override {
    Array y = flat.view(x->shape, contiguous_strides(x->shape), 0);
    copy(y, *x);
  }
};

class Product : public Deferred {
 public:
  Product(const Array& out, const Array& a, const Array& b) : Deferred(out), a(a), b(b) {}
  const Kept a, b;

 protected:
  void compute(Array& out) const override { matmul(out, *a, *b); }
};

// The rows of a channels-last array as a matrix.
Array as_matrix(const Array& x) {
  int64_t n = x.numel() / x.shape[0];
  return x.view({x.shape[0], n}, {n, 1}, x.offset);
}

// A matrix [n, C·H·W] as [n, C, H, W] for the sizes of x.
Array as_images(const Array& m, const Shape& x) {
  int64_t step = m.strides[1];
  return m.view({m.shape[0], x[1], x[2], x[3]}, {m.strides[0], x[2] * x[3] * step, x[3] * step, step},
                m.offset);
}

// Weights [n, C·H·W] with their columns in channels-last order. The gradient needs them after the forward.
// Dear ones are none until they are asked for a second time.
Array reordered(const Array& w, const Shape& x, bool dear = false) {
  int64_t order = -x[2] * x[3];  // negative: apart from the numbers of PackedOrder
  auto make = [&] { return as_matrix(channels_last(as_images(w, x))); };
  return dear ? packed_together(w, {}, 0, order, make, false) : packed(w, order, make, true);
}

bool times_flattened(Array& out, const Array& a, const Array& b, const Array* bias) {
  auto work = work_behind<Flattened>(a);
  if (!work) return false;
  Array weights = reordered(transposed(b), work->x->shape, b.numel() >= a.numel());
  if (!weights.storage) return false;
  matmul(out, as_matrix(*work->x), transposed(weights), bias);
  return true;
}

bool flattened_times(Array& out, const Array& a, const Array& b, const Array* bias) {
  auto work = work_behind<Flattened>(b);
  if (!work || bias || out.numel() >= b.numel()) return false;
  Shape shape = work->x->shape;
  shape[0] = out.shape[0];
  Array by_channel = Array::empty(shape, out.dtype, channels_last_strides(shape)),
        rows = as_matrix(by_channel);
  matmul(rows, a, as_matrix(*work->x));
  Array images = as_images(out, shape);
  copy(images, by_channel);
  return true;
}

bool product_later(Array& out, const Array& a, const Array& b, const Array* bias) {
  bool of_input = a.is_contiguous();  // for a weight's gradient, which nobody unflattens, `a` is turned
  bool worth = !bias && of_input && a.numel() < out.numel() && b.numel() < out.numel() && may_put_off(out);
  if (worth) put_off(out, make_ref<Product>(out, a, b));
  return worth;
}

}  // namespace

Array flattened(const Array& x) {
  int64_t n = x.shape[0];
  Array source = channels_last(x), flat = Array::empty({n, n > 0 ? x.numel() / n : 0}, x.dtype);
  if (nothing_to_do(flat)) return flat;
  put_off_or_compute(flat, make_ref<Flattened>(flat, source));
  return flat;
}

void unflatten(Array& y, const Array& flat) {
  if (nothing_to_do(y)) return;
  bool same_rows = flat.rank() == 2 && flat.shape[0] == y.shape[0];
  auto work = same_rows ? work_behind<Product>(flat) : Ref<Product>();
  if (!work) {
    Array source = row_major(flat);
    return copy(y, source.view(y.shape, contiguous_strides(y.shape), source.offset));
  }
  put_off_or_compute(y, make_ref<UnflattenedProduct>(y, *work->a, *work->b));
}

Array UnflattenedProduct::b() const { return reordered(*weights_, shape_); }

void UnflattenedProduct::compute(Array& y) const {
  Array rows = as_matrix(y);
  matmul(rows, *a, b());
}

bool matmul_flattened(Array& out, const Array& a, const Array& b, const Array* bias) {
  if (out.rank() != 2 || a.rank() != 2 || b.rank() != 2) return false;
  return times_flattened(out, a, b, bias) || flattened_times(out, a, b, bias) ||
         product_later(out, a, b, bias);
}

}  // namespace espalier::kernels
