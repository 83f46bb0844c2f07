#pragma once

#include <espalier/autograd/tensor.h>

namespace espalier {

// x^exponent. The gradients of x^0 at x = 0 and, for the exponent, of 0^b (b >= 0) are 0. Integers to a
// negative integer power throw ValueError; integers to a floating point power give float32.
Tensor pow(const Tensor& x, Scalar exponent);
Tensor pow(const Tensor& x, const Tensor& exponent);

// a - b floor(a / b), the sign is b's; and floor(a / b). Integers divided by 0 throw ValueError.
Tensor remainder(const Tensor& a, const Tensor& b);
Tensor remainder(const Tensor& a, Scalar b);
Tensor floor_divide(const Tensor& a, const Tensor& b);  // no gradient
Tensor floor_divide(const Tensor& a, Scalar b);

}  // namespace espalier
