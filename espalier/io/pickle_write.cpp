#include <espalier/io/pickle_write.h>

#include <algorithm>
#include <limits>

#include <espalier/core/error.h>

namespace espalier::io::pickle {
namespace {

template <class T>
std::string little(T value) {
  return std::string(reinterpret_cast<const char*>(&value), sizeof value);
}

}  // namespace

std::string text(std::string_view s) {
  require<ValueError>(s.size() <= std::numeric_limits<uint32_t>::max(), "a text has ", s.size(),
                      " bytes, more than a pickle takes");
  return concat("X", little(static_cast<uint32_t>(s.size())), s);
}

std::string integer(int64_t i) {
  if (i >= INT32_MIN && i <= INT32_MAX) return "J" + little(static_cast<int32_t>(i));
  return "\x8a\x08" + little(i);
}

std::string real(double r) {
  std::string big = little(r);
  std::ranges::reverse(big);
  return "G" + big;
}

std::string integers(const Shape& shape) {
  std::string items;
  for (int64_t i : shape) items += integer(i);
  return tuple(items);
}

std::string global(std::string_view module, std::string_view name) {
  return concat("c", module, "\n", name, "\n");
}

std::string tuple(std::string_view items) { return concat("(", items, "t"); }
std::string list(std::string_view items) { return concat("](", items, "e"); }
std::string dict(std::string_view items, std::string_view empty) { return concat(empty, "(", items, "u"); }

}  // namespace espalier::io::pickle
