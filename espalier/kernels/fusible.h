#pragma once

#include <espalier/core/deferred.h>
#include <espalier/kernels/elementwise.h>

namespace espalier::kernels {

// What a batch normalisation with known statistics does to each channel.
struct Scaling {
  const Array &mean, &var;
  const Array *weight, *bias;  // null: 1 and 0
  double eps;

  // As values * scale + shift, both of float64.
  void factors(Array& scale, Array& shift) const;
};

// Work put off that what follows it can be part of. `y` and `other` are arrays of its shape, order and dtype.
class Fusible : public Deferred {
 public:
  using Deferred::Deferred;
  virtual void relu(Array& y) const = 0;  // y = max(0, the values)
  // The work of y = the values + other, or of y = the values scaled; null where that is no better than a pass
  // of its own.
  virtual Ref<Deferred> plus(const Array& /*y*/, const Array& /*other*/) const { return {}; }
  virtual Ref<Deferred> scaled(const Array& /*y*/, const Scaling& /*by*/) const { return {}; }
};

// y = a + b as part of one that was put off, which is then put off itself. False, with nothing done, where
// that can't be.
bool add_later(Array& y, const Array& a, const Array& b);

}  // namespace espalier::kernels
