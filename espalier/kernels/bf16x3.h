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

// A matrix that is not written anywhere: in row i stand, for each tap, `channels` numbers that lie side by
// side in x, or zeros where the tap is outside.
struct GatheredRows {
  static constexpr int64_t kMostTaps = 64, kChannels = 32;  // channels are a multiple of these

  const float* x;
  const float* zeros;  // as many as channels
  int64_t rows, channels;
  const int64_t* place;    // of each row
  const uint64_t* inside;  // of each row: a bit for each tap
  const int64_t* tap;      // distances of the taps from a place
};

// A product's b split into its parts, for products to come with b's of the same values.
struct SplitJob {
  Gemm product;
  uint8_t* to;  // split_size(product) bytes
};
inline constinit Kernel<void(const SplitJob&)> split_b_bf16x3;
int64_t split_size(const Gemm& product);

// A product whose a, or b, or both, are gathered; a is by rows, b by columns else. The rows of c may begin
// anywhere.
struct GatheredGemm {
  Gemm product;
  const GatheredRows *a = nullptr, *b = nullptr;
  const uint8_t* split_b = nullptr;   // in place of b, if it is there
  const int64_t* c_row_at = nullptr;  // null: they are c_row apart
};
// `fits` becomes false, and c holds nothing of use, where a sum is not finite in the tiles: its numbers are
// infinite, NaN or above 2^111, or their products are.
inline constinit Kernel<void(const GatheredGemm&, bool& fits)> gathered_gemm_bf16x3;

}  // namespace espalier::kernels
