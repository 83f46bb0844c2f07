#pragma once

#include <espalier/nn/module.h>

namespace espalier::nn {

struct LinearOptions {
  bool bias = true;
};

// x[…, in_features] · weightᵀ + bias.
struct Linear : Module<Linear> {
  Linear(int64_t in_features, int64_t out_features, LinearOptions options = {});

  Tensor forward(const Tensor& x) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t in_features, out_features;
  Parameter weight;  // [out_features, in_features]
  Parameter bias;    // [out_features]
  ESPALIER_FIELDS(Linear, in_features, out_features, weight, bias)
};

// x as it is.
struct Identity : Module<Identity> {
  Tensor forward(const Tensor& x) const { return x; }
};

extern template const ModuleType& detail::type_of<Linear>();

}  // namespace espalier::nn
