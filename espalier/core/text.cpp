#include <espalier/core/text.h>

#include <algorithm>
#include <charconv>

namespace espalier {
namespace detail {

void append(std::string& out, std::string_view text) { out.append(text); }

void append(std::string& out, double value) {
  char buffer[32];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append(std::string& out, long long value) {
  char buffer[24];
  auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

}  // namespace detail

std::string printable(std::string_view text) {
  constexpr size_t kLongest = 100;
  std::string out(text.substr(0, kLongest));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return text.size() > kLongest ? out + "…" : out;
}

}  // namespace espalier
