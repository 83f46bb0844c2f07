#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/view/run_data.h>

namespace espalier::view {

struct Question {
  std::string text;
  std::vector<std::string> choices;  // four, all different
  size_t right = 0;
  std::string explanation;  // with the figures of the run
};

// Questions about this very model and run: shapes, parameters, the epoch that gained most, what a ReLU did to
// an image, what is mistaken for what, why layers are grouped. As many as asked for, or as many as the run
// has material for; of different kinds as long as there are. The same seed gives the same quiz.
std::vector<Question> quiz(const RunData& run, size_t count = 3, uint64_t seed = 0);

}  // namespace espalier::view
