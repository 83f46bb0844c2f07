#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <espalier/core/shape.h>

// Instructions of a pickle of protocol 2: each leaves one value on the stack of whoever reads it.
namespace espalier::io::pickle {

inline constexpr std::string_view kBegin = "\x80\x02", kEnd = ".";
inline constexpr std::string_view kNone = "N", kFalse = "\x89", kTrue = "\x88";
inline constexpr std::string_view kOrderedDict = "ccollections\nOrderedDict\n)R";  // an empty one

std::string text(std::string_view s);
std::string integer(int64_t i);
std::string real(double r);
std::string integers(const Shape& shape);  // a tuple
std::string global(std::string_view module, std::string_view name);
// Of the instructions of their items; those of a dictionary are a key, its value, a key, …
std::string tuple(std::string_view items);
std::string list(std::string_view items);
std::string dict(std::string_view items, std::string_view empty = "}");

}  // namespace espalier::io::pickle
