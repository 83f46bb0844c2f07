#include <espalier/core/dtype.h>

#include <utility>

namespace espalier {

std::string_view name(DType d) {
  switch (d) {
    case DType::float32: return "float32";
    case DType::float64: return "float64";
    case DType::bfloat16: return "bfloat16";
    case DType::int64: return "int64";
    case DType::int32: return "int32";
    case DType::uint8: return "uint8";
    case DType::boolean: return "bool";
  }
  return "unknown";
}

namespace {

// Within a kind the dtype of higher rank wins; bool < integers < floating point.
int rank(DType d) {
  switch (d) {
    case DType::boolean: return 0;
    case DType::uint8: return 1;
    case DType::int32: return 2;
    case DType::int64: return 3;
    case DType::bfloat16: return 4;
    case DType::float32: return 5;
    case DType::float64: return 6;
  }
  return 0;
}

}  // namespace

DType promote_types(DType a, DType b) { return rank(a) >= rank(b) ? a : b; }

}  // namespace espalier
