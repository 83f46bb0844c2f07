#pragma once

#include <espalier/nn/module.h>

namespace espalier::nn {

// Dimensions start_dim to end_dim (included) become one: [N, C, H, W] becomes [N, C * H * W].
struct Flatten : Module<Flatten> {
  Flatten() = default;
  explicit Flatten(int64_t start_dim, int64_t end_dim = -1) : start_dim(start_dim), end_dim(end_dim) {}
  Tensor forward(const Tensor& x) const { return x.flatten(start_dim, end_dim); }
  std::string extra_repr() const { return concat("start_dim=", start_dim, ", end_dim=", end_dim); }

  int64_t start_dim = 1, end_dim = -1;
  ESPALIER_FIELDS(Flatten, start_dim, end_dim)
};

}  // namespace espalier::nn
