#pragma once

#include <string>

#include <espalier/trace/record.h>

namespace espalier::view {

// What a stage does, in words: "32 filters of 3×3 slide over 3 channels". For kinds without words of their
// own, its settings.
std::string what_happens(const trace::Record& record, int64_t call);

enum class Role { input, inner, output };

// What the dimensions of an activation mean: "64 images × 3 channels × 32 × 32 pixels" for the input,
// "64 × 32 feature maps of 32 × 32" inside, "64 × 10 class scores (logits)" at the end. The first dimension
// counts examples.
std::string meaning(const Shape& shape, Role role);

}  // namespace espalier::view
