#pragma once

#include <cstdint>
#include <string>

namespace espalier::trace {

enum class Level {
  shapes,  // names, shapes and times; works without data (ShapesOnly)
  stats,   // and the values of every tensor in a few numbers
};

struct Options {
  Level level = Level::stats;
  // Keep the values of tensors made under paths that match: "conv1", "blocks.*", "*"; the first of them, up
  // to so many bytes in all.
  std::string values = {};
  int64_t value_bytes = INT64_MAX;
};

}  // namespace espalier::trace
