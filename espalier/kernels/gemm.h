#pragma once

#include <espalier/kernels/dispatch.h>

#include <cstdint>

namespace espalier::kernels {

// c[m, n] (+)= a[m, k] · b[k, n], on rows and columns with any strides (in elements); c's columns lie side by
// side. Every element of c sums its products in the same order, whatever the other sizes and the number of
// threads.
struct Gemm {
  int64_t m = 0, n = 0, k = 0;
  const void* a = nullptr;
  int64_t a_row = 0, a_col = 1;
  const void* b = nullptr;
  int64_t b_row = 0, b_col = 1;
  void* c = nullptr;
  int64_t c_row = 0;
  bool accumulate = false;
};

inline constinit Kernel<void(const Gemm&)> gemm_float;
inline constinit Kernel<void(const Gemm&)> gemm_double;

}  // namespace espalier::kernels
