#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

// e^x over the sum of e^x along `dim`, without overflow; and the logarithm of that. Floating point only.
Tensor softmax(const Tensor& x, int64_t dim);
Tensor log_softmax(const Tensor& x, int64_t dim);

}  // namespace espalier
