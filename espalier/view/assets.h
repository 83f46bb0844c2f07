#pragma once

#include <string_view>

namespace espalier::view {

// A file of page/, part of the library since it was built.
struct Asset {
  std::string_view name;  // "style.css"
  std::string_view text;
  std::string_view sha256;  // of the text, in base64, as a content policy names it
};

// Throws ValueError where there is no such file.
const Asset& asset(std::string_view name);

}  // namespace espalier::view
