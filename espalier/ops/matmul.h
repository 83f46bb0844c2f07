#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

// Matrix products. Both operands have one dtype (DTypeError); sizes that do not fit are a ShapeError.

// As numpy's and PyTorch's: [n]·[n] is a scalar, [m, k]·[k] and [k]·[k, n] are vectors; dimensions before the
// last two broadcast.
Tensor matmul(const Tensor& a, const Tensor& b);
Tensor mm(const Tensor& a, const Tensor& b);     // [m, k]·[k, n]
Tensor bmm(const Tensor& a, const Tensor& b);    // [b, m, k]·[b, k, n]
Tensor dot(const Tensor& a, const Tensor& b);    // [n]·[n]
Tensor outer(const Tensor& a, const Tensor& b);  // [m], [n] to [m, n]

// x[…, in] · weight[out, in]ᵀ + bias[out]; without a bias where it is undefined.
Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias = {});

// Whether large float32 products, in matmul, linear, conv2d and everything built on them, may be computed by
// the processor's bfloat16 tiles where it has them (AMX), about 1.5 times as fast: on at first, read at each
// call. Each number is split into three parts that hold all its bits ("bf16x3"), and the error is no larger
// than that of float32's own sums. What is below 2^-126 in size counts as 0 there.
void set_bf16x3(bool on);
bool bf16x3();

}  // namespace espalier
