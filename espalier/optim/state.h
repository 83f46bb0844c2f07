#pragma once

#include <string>
#include <utility>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier::optim {

// What an optimizer or a schedule needs to go on later, as plain data in a fixed order. Tensors share memory
// with the optimizer they come from.
struct StateDict {
  std::string kind;                                     // "Adam"
  std::vector<std::pair<std::string, Tensor>> tensors;  // "conv.weight.exp_avg"
  std::vector<std::pair<std::string, double>> values;   // "conv.weight.step", "group.0.lr"

  const Tensor* tensor(std::string_view name) const;
  const double* value(std::string_view name) const;
};

}  // namespace espalier::optim
