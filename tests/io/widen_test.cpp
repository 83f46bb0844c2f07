#include <espalier/io/widen.h>

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

template <class To, class From>
std::vector<To> values(std::string_view type, const std::vector<From>& from) {
  Array a =
      widened(std::as_bytes(std::span(from)), *find_element_type(type), {static_cast<int64_t>(from.size())});
  EXPECT_EQ(a.dtype, dtype_of<To>());
  return {a.data<To>(), a.data<To>() + a.numel()};
}

void expect_floats(std::string_view type, const std::vector<uint8_t>& from,
                   const std::vector<float>& wanted) {
  auto got = values<float>(type, from);
  for (size_t i = 0; i < from.size(); ++i) {
    if (std::isnan(wanted[i])) EXPECT_TRUE(std::isnan(got[i])) << type << " " << i;
    else EXPECT_EQ(std::bit_cast<uint32_t>(got[i]), std::bit_cast<uint32_t>(wanted[i])) << type << " " << i;
  }
}

constexpr float kInf = std::numeric_limits<float>::infinity(), kNan = std::numeric_limits<float>::quiet_NaN();

TEST(Widen, float16_keeps_every_value) {
  std::vector<uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<uint16_t>(i);
  auto got = values<float>("float16", all);
  for (size_t i = 0; i < all.size(); ++i) {
    int exponent = static_cast<int>(i >> 10 & 31), fraction = static_cast<int>(i & 1023);
    double wanted = exponent ? std::ldexp(1024 + fraction, exponent - 25) : std::ldexp(fraction, -24);
    if (exponent == 31 && fraction) {
      EXPECT_TRUE(std::isnan(got[i])) << i;
      continue;
    }
    if (exponent == 31) wanted = INFINITY;
    EXPECT_EQ(got[i], i & 0x8000 ? -wanted : wanted) << i;
    EXPECT_EQ(std::signbit(got[i]), i >= 0x8000) << i;
  }
}

// Largest, smallest, one, special ones; as PyTorch 2.13 converts them.
TEST(Widen, floats_of_8_bits) {
  expect_floats("float8_e4m3fn", {0x7e, 0x01, 0x38, 0x80, 0x7f, 0xff, 0x78},
                {448, 0x1p-9f, 1, -0.f, kNan, kNan, 256});
  expect_floats("float8_e5m2", {0x7b, 0x01, 0x3c, 0x80, 0x7c, 0xfc, 0x7d},
                {57344, 0x1p-16f, 1, -0.f, kInf, -kInf, kNan});
  expect_floats("float8_e4m3fnuz", {0x7f, 0x01, 0x40, 0x80, 0xff}, {240, 0x1p-10f, 1, kNan, -240});
  expect_floats("float8_e5m2fnuz", {0x7f, 0x01, 0x40, 0x80, 0xff}, {57344, 0x1p-17f, 1, kNan, -57344});
  expect_floats("float8_e8m0fnu", {0x7f, 0x00, 0xfe, 0xff}, {1, 0x1p-127f, 0x1p127f, kNan});
}

TEST(Widen, whole_numbers) {
  EXPECT_EQ((values<int32_t, int8_t>("int8", {-128, 127})), (std::vector<int32_t>{-128, 127}));
  EXPECT_EQ((values<int32_t, int16_t>("int16", {-32768, 32767})), (std::vector<int32_t>{-32768, 32767}));
  EXPECT_EQ((values<int32_t, uint16_t>("uint16", {65535})), (std::vector<int32_t>{65535}));
  EXPECT_EQ((values<int64_t, uint32_t>("uint32", {4294967295})), (std::vector<int64_t>{4294967295}));
  EXPECT_EQ((values<int64_t, uint64_t>("uint64", {7})), (std::vector<int64_t>{7}));
  EXPECT_THROW((values<int64_t, uint64_t>("uint64", {1ull << 63})), DTypeError);
}

TEST(Widen, nothing_is_nothing) { EXPECT_TRUE((values<float, uint16_t>("float16", {})).empty()); }

}  // namespace
}  // namespace espalier::io
