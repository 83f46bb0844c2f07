#pragma once

#include <espalier/core/dtype.h>
#include <espalier/kernels/elementwise.h>

#include <cstdint>
#include <type_traits>

// Before a loop whose iterations do not depend on each other, even where arrays are the same.
#if defined(__clang__)
#pragma clang diagnostic ignored "-Wpass-failed"  // some functions have no vector form
#define ESPALIER_VECTORISE _Pragma("clang loop vectorize(assume_safety)")
#else
#define ESPALIER_VECTORISE _Pragma("GCC ivdep")
#endif

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {

template <class T, class F>
void row_of(int64_t n, void* out, const void* const* in) {
  auto* y = static_cast<T*>(out);
  auto* a = static_cast<const T*>(in[0]);
  auto* b = static_cast<const T*>(in[1]);
  auto* c = static_cast<const T*>(in[2]);
  F f;
  ESPALIER_VECTORISE
  for (int64_t i = 0; i < n; ++i) {
    if constexpr (std::is_invocable_v<F, T>) y[i] = static_cast<T>(f(a[i]));
    else if constexpr (std::is_invocable_v<F, T, T>) y[i] = static_cast<T>(f(a[i], b[i]));
    else y[i] = static_cast<T>(f(a[i], b[i], c[i]));
  }
}

template <class F>
void any_row(DType type, int64_t n, void* out, const void* const* in) {
  if (type == DType::float32) row_of<float, F>(n, out, in);
  else if (type == DType::float64) row_of<double, F>(n, out, in);
  else row_of<int64_t, F>(n, out, in);
}

template <class F>
void floating_row(DType type, int64_t n, void* out, const void* const* in) {
  if (type == DType::float32) row_of<float, F>(n, out, in);
  else row_of<double, F>(n, out, in);
}

// 1 or 0 in the type of the second argument, by a select: conversions of bool keep g++ from vectorising.
template <class T>
T truth(bool yes, T) {
  return yes ? T(1) : T(0);
}

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL

// ESPALIER_ROW(any_row, add, [](auto a, auto b) { … }): the function, of values of a compute type, behind a
// Row.
#define ESPALIER_ROW(rows, name, ...) ESPALIER_OFFER(name, rows<decltype(__VA_ARGS__)>)
