#include <espalier/io/element_type.h>

#include <algorithm>

namespace espalier::io {
namespace {

constexpr ElementType kTypes[] = {
    {"float32", 32, DType::float32},
    {"float64", 64, DType::float64},
    {"bfloat16", 16, DType::bfloat16},
    {"int64", 64, DType::int64},
    {"int32", 32, DType::int32},
    {"uint8", 8, DType::uint8},
    {"bool", 8, DType::boolean},
    {"float16", 16, {}, DType::float32},
    {"int8", 8, {}, DType::int32},
    {"int16", 16, {}, DType::int32},
    {"uint16", 16, {}, DType::int32},
    {"uint32", 32, {}, DType::int64},
    {"uint64", 64, {}, DType::int64},
    {"complex32", 32, {}},
    {"complex64", 64, {}},
    {"complex128", 128, {}},
    {"float8_e4m3fn", 8, {}, DType::float32},
    {"float8_e5m2", 8, {}, DType::float32},
    {"float8_e4m3fnuz", 8, {}, DType::float32},
    {"float8_e5m2fnuz", 8, {}, DType::float32},
    {"float8_e8m0fnu", 8, {}, DType::float32},
    {"float4_e2m1fn", 4, {}},
    {"float6_e2m3fn", 6, {}},
    {"float6_e3m2fn", 6, {}},
    {"int4", 4, {}},
    {"uint4", 4, {}},
    {"qint8", 8, {}},
    {"quint8", 8, {}},
    {"qint32", 32, {}},
};

}  // namespace

const ElementType* find_element_type(std::string_view name) {
  auto found = std::ranges::find(kTypes, name, &ElementType::name);
  return found == std::end(kTypes) ? nullptr : found;
}

const ElementType& element_type(DType dtype) {
  return *std::ranges::find(kTypes, std::optional(dtype), &ElementType::dtype);
}

}  // namespace espalier::io
