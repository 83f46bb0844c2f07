#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

// While training, each element is 0 with probability p and else divided by 1 - p, by draws from the default
// generator in the order of the indices; p = 1 gives zeros and draws nothing. Otherwise, and for p = 0, x
// itself. Floating point.
Tensor dropout(const Tensor& x, double p = 0.5, bool training = true);

}  // namespace espalier
