#pragma once

#include <cstdint>
#include <string>

namespace espalier {

// A setting for height and width: `.stride = 2` or `.stride = {2, 1}`.
struct Pair {
  int64_t h, w;
  constexpr Pair(int64_t both) : h(both), w(both) {}
  constexpr Pair(int64_t height, int64_t width) : h(height), w(width) {}
  friend bool operator==(const Pair&, const Pair&) = default;
};

// "(2, 1)"
inline std::string to_string(const Pair& p) {
  return "(" + std::to_string(p.h) + ", " + std::to_string(p.w) + ")";
}

}  // namespace espalier
