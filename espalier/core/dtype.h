#pragma once

#include <bit>
#include <cstdint>
#include <string_view>
#include <type_traits>

namespace espalier {

// Element types, under PyTorch's names.
enum class DType : uint8_t { float32, float64, bfloat16, int64, int32, uint8, boolean };

inline constexpr DType float32 = DType::float32;
inline constexpr DType float64 = DType::float64;
inline constexpr DType bfloat16 = DType::bfloat16;
inline constexpr DType int64 = DType::int64;
inline constexpr DType int32 = DType::int32;
inline constexpr DType uint8 = DType::uint8;
inline constexpr DType boolean = DType::boolean;  // PyTorch's torch.bool

// The upper half of a float32; arithmetic is done in float.
struct BFloat16 {
  uint16_t bits = 0;

  BFloat16() = default;
  // Rounds to nearest, ties to even; a NaN stays a (quiet) NaN.
  BFloat16(float value) {
    auto u = std::bit_cast<uint32_t>(value);
    bool nan = (u & 0x7fffffffu) > 0x7f800000u;
    uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
    bits = static_cast<uint16_t>(nan ? (u >> 16) | 0x40u : rounded);
  }
  operator float() const { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }
};

constexpr int64_t itemsize(DType d) {
  switch (d) {
    case DType::float32:
    case DType::int32: return 4;
    case DType::float64:
    case DType::int64: return 8;
    case DType::bfloat16: return 2;
    case DType::uint8:
    case DType::boolean: return 1;
  }
  return 0;
}

constexpr bool is_floating_point(DType d) { return d <= DType::bfloat16; }

// "float32", …; boolean is "bool" as in PyTorch.
std::string_view name(DType d);

// The dtype of `a op b`, by PyTorch's promotion table (bfloat16 with float32 gives float32,
// an integer with a floating point dtype gives the floating point one, uint8 with bool gives uint8).
DType promote_types(DType a, DType b);

template <class T>
constexpr DType dtype_of() {
  if constexpr (std::is_same_v<T, float>) return DType::float32;
  else if constexpr (std::is_same_v<T, double>) return DType::float64;
  else if constexpr (std::is_same_v<T, BFloat16>) return DType::bfloat16;
  else if constexpr (std::is_same_v<T, bool>) return DType::boolean;
  else if constexpr (std::is_same_v<T, uint8_t>) return DType::uint8;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 8) return DType::int64;
  else if constexpr (std::is_integral_v<T> && sizeof(T) == 4) return DType::int32;
  else static_assert(sizeof(T) == 0, "not an element type of a tensor");
}

// Calls f(T{}) with the C++ type of `d`.
template <class F>
decltype(auto) visit_dtype(DType d, F&& f) {
  switch (d) {
    case DType::float64: return f(double{});
    case DType::bfloat16: return f(BFloat16{});
    case DType::int64: return f(int64_t{});
    case DType::int32: return f(int32_t{});
    case DType::uint8: return f(uint8_t{});
    case DType::boolean: return f(bool{});
    default: return f(float{});
  }
}

// The same for floating point dtypes only; others are the caller's error to have excluded.
template <class F>
decltype(auto) visit_floating(DType d, F&& f) {
  switch (d) {
    case DType::float64: return f(double{});
    case DType::bfloat16: return f(BFloat16{});
    default: return f(float{});
  }
}

// The type in which elements of T are computed with: float for BFloat16, T otherwise.
template <class T>
using Compute = std::conditional_t<std::is_same_v<T, BFloat16>, float, T>;

}  // namespace espalier
