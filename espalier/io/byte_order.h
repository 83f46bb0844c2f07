#pragma once

#include <memory>
#include <span>
#include <string>

#include <espalier/io/element_type.h>

namespace espalier::io {

// A copy in which the bytes of each number are turned round: a complex one is two numbers.
inline std::shared_ptr<std::string> bytes_turned(std::span<const std::byte> bytes, const ElementType& type) {
  auto unit = static_cast<size_t>(type.bits / (type.name.starts_with("complex") ? 16 : 8));
  auto out = std::make_shared<std::string>(bytes.size(), '\0');
  for (size_t i = 0; unit > 0 && i < bytes.size() / unit * unit; ++i) {
    (*out)[i] = static_cast<char>(bytes[i - i % unit + unit - 1 - i % unit]);
  }
  return out;
}

}  // namespace espalier::io
