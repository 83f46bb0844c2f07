#include <espalier/core/table.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace espalier::text {

size_t width(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string pad_right(std::string_view text, size_t columns) {
  size_t have = width(text);
  return std::string(text) + std::string(columns > have ? columns - have : 0, ' ');
}

std::string pad_left(std::string_view text, size_t columns) {
  size_t have = width(text);
  return std::string(columns > have ? columns - have : 0, ' ') + std::string(text);
}

std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<size_t>& numbers) {
  std::vector<size_t> columns;
  for (const auto& row : rows) {
    columns.resize(std::max(columns.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) columns[i] = std::max(columns[i], width(row[i]));
  }
  std::string out;
  for (const auto& row : rows) {
    std::string line = "  ";
    for (size_t i = 0; i < row.size(); ++i) {
      bool right = std::find(numbers.begin(), numbers.end(), i) != numbers.end();
      line += (right ? pad_left(row[i], columns[i]) : pad_right(row[i], columns[i])) + "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    out += line + "\n";
  }
  return out;
}

std::string bar(double share, size_t columns) {
  static constexpr const char* kEighths[] = {"", "▏", "▎", "▍", "▌", "▋", "▊", "▉"};
  double units = std::clamp(share, 0.0, 1.0) * static_cast<double>(columns) * 8;
  auto eighths = static_cast<size_t>(std::lround(std::isfinite(units) ? units : 0));
  std::string out;
  for (size_t i = 0; i < eighths / 8; ++i) out += "█";
  return out + kEighths[eighths % 8];
}

std::string grouped(int64_t n) {
  std::string digits = std::to_string(n);
  size_t first = n < 0 ? 1 : 0;
  for (size_t at = digits.size(); at > first + 3;) digits.insert(at -= 3, ",");
  return digits;
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace espalier::text
