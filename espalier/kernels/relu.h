#pragma once

#include <espalier/kernels/flattened.h>
#include <espalier/kernels/fusible.h>

namespace espalier::kernels {

// y = max(0, x), and its gradient: gx = g where y is above 0, else 0. A NaN stays. Arrays of one shape.
void relu(Array& y, const Array& x);
void relu_backward(Array& gx, const Array& g, const Array& y);

// relu_backward put off, for those who can leave out what the ReLU held back while they read g. Where g is an
// unflattened product put off in turn, it is made here and never written.
class ReluBackward : public Deferred {
 public:
  ReluBackward(const Array& gx, const Array& g, const Array& y) : Deferred(gx), g(g), y(y) {}
  const Kept g, y;

  // The sums of each channel (column), [C] of float64, found while gx was computed; none (no storage) before
  // and where the arrays are neither matrices nor channels-last.
  const Array& sums() const { return sums_; }
  // The memory of g, once only this work holds it.
  Ref<Storage> reusable() const override;

 protected:
  void compute(Array& gx) const override;

 private:
  Ref<UnflattenedProduct> product() const;
  void compute_from(const UnflattenedProduct& product, Array& gx) const;

  mutable Array sums_;
};

// What the vectorised code works on: rows [outer, channels] of one floating point dtype.
struct ReluBackwardJob {
  DType dtype;
  int64_t outer, channels, chunk;
  const void *g, *y;
  void* gx;
  void* sums;  // one row [channels] for each `chunk` of outer positions, in float32 or float64
};
inline constinit Kernel<void(const ReluBackwardJob&)> relu_backward_rows;

// The same for rows of images, where g is a[images, depth] · b[depth, columns]; columns in channels-last
// order.
struct ReluOfProductJob {
  static constexpr int64_t kImages = 4, kChannels = 16;  // together in a sum; of which there are multiples
  int64_t images, columns, channels, depth;
  const float *a, *b;
  int64_t b_row;
  const float* y;
  float* gx;
  float* sums;  // one row [channels] for kImages images each
};
inline constinit Kernel<void(const ReluOfProductJob&)> relu_backward_of_product;

}  // namespace espalier::kernels
