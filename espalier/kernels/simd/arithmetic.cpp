#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Integers wrap around.
template <class T>
auto bits(T value) {
  if constexpr (std::is_integral_v<T>)
    return static_cast<uint64_t>(value);
  else
    return value;
}

}  // namespace

ESPALIER_ROW(any_row, add, [](auto a, auto b) { return bits(a) + bits(b); })
ESPALIER_ROW(any_row, sub, [](auto a, auto b) { return bits(a) - bits(b); })
ESPALIER_ROW(any_row, mul, [](auto a, auto b) { return bits(a) * bits(b); })
ESPALIER_ROW(any_row, add_scaled, [](auto a, auto b, auto c) { return bits(a) + bits(b) * bits(c); })
ESPALIER_ROW(floating_row, div, [](auto a, auto b) { return a / b; })

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
