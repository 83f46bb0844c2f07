#pragma once

#include <espalier/nn/module.h>

namespace espalier::nn {

// While training, sets each value to 0 with probability p and divides the others by 1 - p.
struct Dropout : Module<Dropout> {
  Dropout() = default;
  explicit Dropout(double p);
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  double p = 0.5;
  bool training = true;
  ESPALIER_FIELDS(Dropout, p, training)
};

}  // namespace espalier::nn
