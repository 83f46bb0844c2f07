#pragma once

#include <string>
#include <vector>

#include <espalier/models/registry.h>
#include <espalier/trace/record.h>

namespace espalier::models {

struct Prediction {
  std::vector<double> probabilities;  // by class
  size_t best = 0;                    // the likeliest
  trace::Record record;               // how it came about, with the values of each layer in a few numbers
};

// What a classifier says of one prepared image [1, C, H, W], in evaluation mode.
Prediction predict(const Model& model, const Tensor& x);

}  // namespace espalier::models
