#pragma once

#include <string>

#include <espalier/core/array.h>

namespace espalier::io {

// What files of weights hold: names to arrays, nothing else.
struct NamedArray {
  std::string name;
  Array array;
};

}  // namespace espalier::io
