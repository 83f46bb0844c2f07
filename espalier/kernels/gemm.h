#pragma once

#include <espalier/kernels/dispatch.h>

#include <cstdint>

namespace espalier::kernels {

// c[m, n] (+)= a[m, k] · b[k, n] (+ bias), then its ReLU if asked, on rows and columns with any strides (in
// elements); c's columns and the bias's elements lie side by side. How the products of an element are summed
// depends on the sizes and strides alone, not on the number of threads.
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t a_row = 0, a_col = 1;
  const void* b = nullptr;
  int64_t b_row = 0, b_col = 1;
  void* c = nullptr;
  int64_t c_row = 0;
  bool accumulate = false;
  const void* bias = nullptr;  // [n]
  bool relu = false;
};

inline constinit Kernel<void(const Gemm&)> gemm_float;
inline constinit Kernel<void(const Gemm&)> gemm_double;

}  // namespace espalier::kernels
