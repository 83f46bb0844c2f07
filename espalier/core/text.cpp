#include <espalier/core/text.h>

#include <charconv>

namespace espalier::detail {

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

}  // namespace espalier::detail
