#pragma once

#include <espalier/core/deferred.h>

// [N, C, H, W] in channels-last order and [N, C·H·W] in row-major order hold the same values in different
// places. A product with the flattened matrix can do without that copy of large activations: it reorders the
// smaller matrix of weights instead.
namespace espalier::kernels {

// x, channels-last, as [N, C·H·W]: put off where that may be.
Array flattened(const Array& x);
// y [N, C, H, W], channels-last, from the rows of `flat` [N, C·H·W].
void unflatten(Array& y, const Array& flat);
// What unflatten puts off: the images of y are rows of a[N, k] · b[k, H·W·C], with b's columns in
// channels-last order.
class UnflattenedProduct : public Deferred {
 public:
  UnflattenedProduct(const Array& y, const Array& a, const Array& weights)
      : Deferred(y), a(a), weights_(weights), shape_(y.shape) {}
  const Kept a;
  Array b() const;

 protected:
  void compute(Array& y) const override;

 private:
  Kept weights_;  // [k, C·H·W]
  Shape shape_;
};

// out = a · b (+ bias), where one of them is `flattened` and still put off, or the result is worth putting
// off for `unflatten`. False, with nothing done, in all other cases.
bool matmul_flattened(Array& out, const Array& a, const Array& b, const Array* bias);

}  // namespace espalier::kernels
