#pragma once

#include <algorithm>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier::test {

// A leaf that needs a gradient.
inline Tensor leaf(const std::vector<double>& values, DType dtype = float64) {
  Tensor x(Array::empty({static_cast<int64_t>(values.size())}, dtype));
  if (dtype == float64) std::copy(values.begin(), values.end(), x.data<double>());
  else std::copy(values.begin(), values.end(), x.data<float>());
  return x.requires_grad_();
}

inline Tensor constant(const std::vector<double>& values) { return leaf(values).detach(); }

using Values = std::vector<double>;
inline Values values(const Tensor& x) { return x.to_vector<double>(); }

}  // namespace espalier::test
