#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace espalier::trace {

// One epoch of a training run: means over its samples.
struct Epoch {
  int64_t epoch = 0;  // from 1
  int64_t step = 0;   // optimizer steps since the start of the run
  double train_loss = 0, train_accuracy = 0;
  std::optional<double> val_loss = {}, val_accuracy = {};  // absent without validation data
  double lr = 0;
  double seconds = 0;
};

using History = std::vector<Epoch>;

}  // namespace espalier::trace
