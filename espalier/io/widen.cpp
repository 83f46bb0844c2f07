#include <espalier/io/widen.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

float from_half(uint16_t h) {
  uint32_t sign = (h & 0x8000u) << 16, rest = h & 0x7fffu;
  float small = static_cast<float>(rest) * 0x1p-24f;  // below the smallest normal number
  uint32_t normal = (rest << 13) + (rest >= 0x7c00 ? 0x70000000u : 0x38000000u);
  return std::bit_cast<float>((rest < 0x400 ? std::bit_cast<uint32_t>(small) : normal) | sign);
}

// An 8-bit float: a sign, exponent bits, and the rest for the fraction.
struct SmallFloat {
  std::string_view name;
  int exponent_bits, bias;
  bool infinities;  // the largest exponent is for infinity and NaN, as usual; else only all ones are NaN
  bool one_zero;    // -0 is NaN, and nothing else

  float operator()(unsigned bits) const {
    int fraction_bits = 7 - exponent_bits;
    unsigned fraction = bits & ((1u << fraction_bits) - 1), exponent = (bits & 0x7f) >> fraction_bits;
    bool top = exponent == (1u << exponent_bits) - 1, ones = (bits & 0x7f) == 0x7f;
    float sign = bits & 0x80 ? -1 : 1;
    if (one_zero ? bits == 0x80 : infinities ? top && fraction : ones) return std::nanf("");
    if (infinities && top && !one_zero) return sign * std::numeric_limits<float>::infinity();
    unsigned whole = exponent ? fraction | 1u << fraction_bits : fraction;
    int power = static_cast<int>(exponent ? exponent : 1) - bias - fraction_bits;
    return sign * std::ldexp(static_cast<float>(whole), power);
  }
};

constexpr SmallFloat kSmallFloats[] = {
    {"float8_e4m3fn", 4, 7, false, false},
    {"float8_e5m2", 5, 15, true, false},
    {"float8_e4m3fnuz", 4, 8, false, true},
    {"float8_e5m2fnuz", 5, 16, false, true},
};

std::array<float, 256> table_of(std::string_view name) {
  std::array<float, 256> out;
  for (unsigned i = 0; i < 256; ++i) {
    out[i] = i == 255 ? std::nanf("") : std::ldexp(1.f, static_cast<int>(i) - 127);  // float8_e8m0fnu
    for (const SmallFloat& small : kSmallFloats) {
      if (small.name == name) out[i] = small(i);
    }
  }
  return out;
}

template <class From, class To, class F>
void convert(std::span<const std::byte> bytes, Array& out, F&& f) {
  To* to = out.data<To>();
  for (size_t i = 0; i < bytes.size() / sizeof(From); ++i) {
    From value;
    std::memcpy(&value, bytes.data() + i * sizeof(From), sizeof value);
    to[i] = f(value);
  }
}

template <class From, class To>
void convert(std::span<const std::byte> bytes, Array& out) {
  convert<From, To>(bytes, out, [](From value) { return static_cast<To>(value); });
}

int64_t checked_int64(uint64_t value) {
  require<DTypeError>(value <= INT64_MAX, "the value ", std::to_string(value),
                      " of type uint64 is too large for int64, the largest type that Espalier has");
  return static_cast<int64_t>(value);
}

}  // namespace

Array widened(std::span<const std::byte> bytes, const ElementType& type, const Shape& shape) {
  Array out = Array::empty(shape, *type.wider);
  if (nothing_to_do(out)) return out;
  if (type.name == "float16") convert<uint16_t, float>(bytes, out, from_half);
  else if (type.name == "int8") convert<int8_t, int32_t>(bytes, out);
  else if (type.name == "int16") convert<int16_t, int32_t>(bytes, out);
  else if (type.name == "uint16") convert<uint16_t, int32_t>(bytes, out);
  else if (type.name == "uint32") convert<uint32_t, int64_t>(bytes, out);
  else if (type.name == "uint64") convert<uint64_t, int64_t>(bytes, out, checked_int64);
  else convert<uint8_t, float>(bytes, out, [table = table_of(type.name)](uint8_t b) { return table[b]; });
  return out;
}

}  // namespace espalier::io
