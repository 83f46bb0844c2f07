#pragma once

#include <utility>

#include <espalier/autograd/tensor.h>

// NaN counts as the largest value, as in PyTorch; equal values keep their order.
namespace espalier {

// The values along `dim` in order, and their positions (int64).
std::pair<Tensor, Tensor> sort(const Tensor& x, int64_t dim = -1, bool descending = false);
Tensor argsort(const Tensor& x, int64_t dim = -1, bool descending = false);
// The k largest (smallest) along `dim`, in order, and their positions. Throws ValueError where there are
// fewer.
std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k, int64_t dim = -1, bool largest = true);

}  // namespace espalier
