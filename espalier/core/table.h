#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::text {

// Characters that a text takes on a terminal (UTF-8, one column a code point).
size_t width(std::string_view text);
// `text` with blanks behind (pad_right) or before it (pad_left) up to `columns`.
std::string pad_right(std::string_view text, size_t columns);
std::string pad_left(std::string_view text, size_t columns);

// Rows of text in columns, two blanks apart; the first row is the head. `numbers` names the columns that are
// set to the right.
std::string table(const std::vector<std::vector<std::string>>& rows, const std::vector<size_t>& numbers = {});

// A bar of `share` (0 to 1) of `columns`, in eighths of a column.
std::string bar(double share, size_t columns);

// 1234567 as "1,234,567".
std::string grouped(int64_t n);
// "0.893" with `decimals` decimals.
std::string fixed(double value, int decimals);

}  // namespace espalier::text
