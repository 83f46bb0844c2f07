#pragma once

#include <string>

namespace espalier::trace {

enum class Level {
  shapes,  // names, shapes and times; works without data (ShapesOnly)
  stats,   // and the values of every tensor in a few numbers
};

struct Options {
  Level level = Level::stats;
  std::string values =
      {};  // keep the values of tensors made under paths that match: "conv1", "blocks.*", "*"
};

}  // namespace espalier::trace
