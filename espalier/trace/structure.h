#pragma once

#include <string>
#include <vector>

#include <espalier/core/array.h>

namespace espalier::trace {

struct ParameterInfo {
  std::string name;  // in full: "blocks.0.conv1.weight"
  Shape shape;
  DType dtype = DType::float32;
  bool trainable = true;
  std::string same_as;  // the name under which the same tensor stood before; "" for the first
};

// A module with all below it: what PyTorch prints of a model, as data.
struct Structure {
  std::string path;                            // "blocks.0.conv1"; "" is the model
  std::string name;                            // in its parent: "conv1"
  std::string kind;                            // "Conv2d"
  std::string settings;                        // "3, 32, kernel_size=(3, 3), stride=(1, 1)"
  std::vector<ParameterInfo> parameters = {};  // its own
  std::vector<Structure> children = {};

  // Values in the parameters of this module and those below; a tensor that was counted is not counted again.
  int64_t num_parameters() const;
  int64_t num_trainable() const;
};

}  // namespace espalier::trace
