#pragma once

#include <espalier/autograd/tensor.h>

// Arithmetic on tensors that broadcast to a common shape, and on a tensor and a number. The dtype is the
// promotion of both; integers wrap around. For bool, add is "or" and mul is "and".
namespace espalier {

Tensor add(const Tensor& a, const Tensor& b, Scalar alpha = 1);  // a + alpha b
Tensor sub(const Tensor& a, const Tensor& b, Scalar alpha = 1);  // a - alpha b; not for two bool tensors
Tensor mul(const Tensor& a, const Tensor& b);
Tensor div(const Tensor& a, const Tensor& b);  // true division: integers give float32
Tensor add(const Tensor& a, Scalar b);
Tensor sub(const Tensor& a, Scalar b);
Tensor mul(const Tensor& a, Scalar b);
Tensor div(const Tensor& a, Scalar b);
Tensor rsub(const Tensor& a, Scalar b);  // b - a
Tensor rdiv(const Tensor& a, Scalar b);  // b / a
Tensor neg(const Tensor& x);             // not for bool

}  // namespace espalier
