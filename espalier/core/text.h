#pragma once

#include <string>
#include <string_view>
#include <type_traits>

#include <espalier/core/dtype.h>

namespace espalier {

namespace detail {

void append(std::string& out, std::string_view text);
void append(std::string& out, double value);  // shortest form that reads back
void append(std::string& out, long long value);

template <class T>
void append_any(std::string& out, const T& value) {
  if constexpr (std::is_convertible_v<const T&, std::string_view>) append(out, std::string_view(value));
  else if constexpr (std::is_same_v<T, bool>) append(out, value ? "true" : "false");
  else if constexpr (std::is_same_v<T, char>) out.push_back(value);
  else if constexpr (std::is_same_v<T, DType>) append(out, name(value));
  else if constexpr (std::is_floating_point_v<T>) append(out, static_cast<double>(value));
  else if constexpr (std::is_integral_v<T>) append(out, static_cast<long long>(value));
  else append(out, std::string_view(to_string(value)));
}

}  // namespace detail

// The parts one after the other: text, numbers, dtypes, and whatever has a to_string.
template <class... Parts>
std::string concat(const Parts&... parts) {
  std::string out;
  (detail::append_any(out, parts), ...);
  return out;
}

// A text from outside, such as a name in a file, fit for a message: cut when long, without control
// characters.
std::string printable(std::string_view text);

}  // namespace espalier
