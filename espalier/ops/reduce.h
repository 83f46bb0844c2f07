#pragma once

#include <utility>

#include <espalier/autograd/tensor.h>

// Reductions: of all elements, or over dimensions, which keepdim leaves in place with size 1. Without dims
// (an empty list) they are over all. Sums are accurate (pairwise), and the same for any number of threads.
namespace espalier {

// Sums and products of integers and bools are int64. The sum of nothing is 0, the product 1.
Tensor sum(const Tensor& x);
Tensor sum(const Tensor& x, const Dims& dims, bool keepdim = false);
Tensor prod(const Tensor& x);
Tensor prod(const Tensor& x, int64_t dim, bool keepdim = false);
// Running sums along `dim`; of integers and bools int64.
Tensor cumsum(const Tensor& x, int64_t dim);
// The sum over the dimensions in which `shape` broadcasts to that of x. Throws ShapeError where it doesn't.
Tensor sum_to_size(const Tensor& x, const Shape& shape);

// Floating point only (DTypeError). The mean of nothing is NaN.
Tensor mean(const Tensor& x);
Tensor mean(const Tensor& x, const Dims& dims, bool keepdim = false);
// Sum of squared differences from the mean, over the number of elements less `correction`.
Tensor var(const Tensor& x, const Dims& dims = Shape(), double correction = 1, bool keepdim = false);
Tensor std(const Tensor& x, const Dims& dims = Shape(), double correction = 1, bool keepdim = false);
// The root of the sum of squares of all elements; its gradient at 0 is 0.
Tensor norm(const Tensor& x);
// log of the sum of e^x, without overflow; -inf, with gradient 0, where all are -inf.
Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim = false);

// The largest and smallest; NaN where there is one. Equal ones share the gradient evenly. Nothing to choose
// from is a ValueError.
Tensor amax(const Tensor& x, const Dims& dims = Shape(), bool keepdim = false);
Tensor amin(const Tensor& x, const Dims& dims = Shape(), bool keepdim = false);
Tensor max(const Tensor& x);
Tensor min(const Tensor& x);
// Values, and in int64 the position of the first that is the largest (smallest), which gets the gradient.
std::pair<Tensor, Tensor> max(const Tensor& x, int64_t dim, bool keepdim = false);
std::pair<Tensor, Tensor> min(const Tensor& x, int64_t dim, bool keepdim = false);
// The position alone; without dim that in row-major order.
Tensor argmax(const Tensor& x);
Tensor argmax(const Tensor& x, int64_t dim, bool keepdim = false);
Tensor argmin(const Tensor& x);
Tensor argmin(const Tensor& x, int64_t dim, bool keepdim = false);

// Whether any (all) are not zero, as bool.
Tensor any(const Tensor& x);
Tensor any(const Tensor& x, int64_t dim, bool keepdim = false);
Tensor all(const Tensor& x);
Tensor all(const Tensor& x, int64_t dim, bool keepdim = false);

}  // namespace espalier
