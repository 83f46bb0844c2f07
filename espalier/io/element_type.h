#pragma once

#include <optional>
#include <string_view>

#include <espalier/core/dtype.h>

namespace espalier::io {

// An element type that files hold, under PyTorch's name. Not all of them are element types of arrays.
struct ElementType {
  std::string_view name;  // "float32", "float8_e4m3fn", "qint8"
  int bits;
  std::optional<DType> dtype;       // the same one of arrays,
  std::optional<DType> wider = {};  // or else one that holds all its values (of uint64, those up to 2^63 - 1)

  std::optional<DType> array_dtype() const { return dtype ? dtype : wider; }
};

// Null for a name that is not known.
const ElementType* find_element_type(std::string_view name);
const ElementType& element_type(DType dtype);

}  // namespace espalier::io
