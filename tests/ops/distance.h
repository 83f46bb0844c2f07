#pragma once

#include <algorithm>
#include <cmath>

#include <espalier/autograd/tensor.h>

namespace espalier {

// The largest difference of two tensors' values, relative to the largest value of the second; 1 where they
// have not the same number of them.
inline double distance(const Tensor& a, const Tensor& b) {
  auto x = a.to_vector<double>(), y = b.to_vector<double>();
  double most = 0, scale = 1e-30;
  for (size_t i = 0; i < x.size(); ++i) {
    most = std::max(most, std::abs(x[i] - y[i]));
    scale = std::max(scale, std::abs(y[i]));
  }
  return x.size() == y.size() ? most / scale : 1;
}

}  // namespace espalier
