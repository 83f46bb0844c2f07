#pragma once

#include <espalier/kernels/dispatch.h>
#include <espalier/kernels/gemm.h>

// float32 products by the processor's bfloat16 tiles. Each number is the sum of three bfloat16 ones, high +
// middle + low, exactly; of the nine products the six largest are summed, in float32. What is left out is
// below 2^-26 of a product, so that results are as exact as float32's own (Henry, Tang and Heinecke,
// "Leveraging the bfloat16 Artificial Intelligence Datatype For Higher-Precision Computations", 2019).
// Numbers below 2^-126 count as 0, and parts of numbers that are; infinities and NaN are what they should be.
namespace espalier::kernels {

// Whether large products are computed so where the processor can (AMX). On at first.
void set_bf16x3(bool on);
bool bf16x3();

// As gemm_float, if bf16x3().
inline constinit Kernel<void(const Gemm&)> gemm_bf16x3;

}  // namespace espalier::kernels
