#pragma once

#include <optional>

#include <espalier/autograd/tensor.h>

// Choice between values, element by element.
namespace espalier {

// a where `condition` (bool) holds, else b; all three broadcast.
Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
Tensor where(const Tensor& condition, Scalar a, Scalar b);
// `value` where `mask` (bool) holds, else x; the dtype is x's. Both broadcast.
Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);

// NaN where either operand is NaN. Where both are equal each gets half of the gradient.
Tensor maximum(const Tensor& a, const Tensor& b);
Tensor minimum(const Tensor& a, const Tensor& b);
// Raised to min, then lowered to max; one of them may be absent. NaN stays.
Tensor clamp(const Tensor& x, std::optional<Scalar> min, std::optional<Scalar> max);

// a + weight (b - a)
Tensor lerp(const Tensor& a, const Tensor& b, const Tensor& weight);
Tensor lerp(const Tensor& a, const Tensor& b, Scalar weight);

}  // namespace espalier
