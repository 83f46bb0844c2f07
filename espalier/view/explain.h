#pragma once

#include <string>
#include <vector>

#include <espalier/trace/record.h>

namespace espalier::view {

// What a stage does, in words: "32 filters of 3×3 slide over 3 channels". For kinds without words of their
// own, its settings.
std::string what_happens(const trace::Record& record, int64_t call);

enum class Role { input, inner, output };

// What the dimensions of the activations of a record mean. Images, sequences and rows of features are told
// apart by the shapes that go into the whole and come out of it.
class Reading {
 public:
  explicit Reading(const trace::Record& record);

  // Names of the dimensions in order: "batch", "channels", "height", "width".
  std::vector<std::string> dimensions(const Shape& shape, Role role) const;
  // "64 images × 3 channels × 32 × 32 pixels" for the input, "64 × 32 feature maps of 32 × 32" inside,
  // "64 × 10 class scores (logits)" at the end, "one number" for a loss.
  std::string meaning(const Shape& shape, Role role) const;

 private:
  bool steps_first(const Shape& shape) const { return shape[0] != batch_ && shape[1] == batch_; }

  int64_t batch_ = -1, steps_ = -1;  // of sequences
  bool images_ = true;
  bool tokens_ = false;  // the input is whole numbers: positions in a vocabulary
};

}  // namespace espalier::view
