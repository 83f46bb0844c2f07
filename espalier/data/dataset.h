#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/core/array.h>

namespace espalier::data {

// Images and the class of each.
struct ImageDataset {
  Array images;                 // [N, C, H, W], uint8 pixels or float32, row-major
  std::vector<int64_t> labels;  // N positions in `classes`
  std::vector<std::string> classes;
  std::string name;   // "CIFAR-10, training images"
  std::string notes;  // what is not as expected of this data set, such as files that are missing

  int64_t size() const { return static_cast<int64_t>(labels.size()); }
  // Image i, [C, H, W]; it shares memory with `images`.
  Array image(int64_t i) const;
  // Throws ShapeError, DTypeError or ValueError when the parts do not fit together.
  void check() const;
};

struct Splits {
  ImageDataset train, test;
};

}  // namespace espalier::data
