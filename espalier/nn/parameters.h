#pragma once

#include <espalier/autograd/tensor.h>

#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

namespace espalier::nn {

// Tensors to be trained, and their names: what model.parameters() gives and an optimizer takes. A vector of
// tensors in all else.
struct Parameters : std::vector<Tensor> {
  using Entry = std::pair<std::string, Tensor>;

  // Without names.
  Parameters(std::vector<Tensor> tensors = {}) : vector(std::move(tensors)) {}
  Parameters(std::initializer_list<Tensor> tensors);
  // As model.named_parameters() gives them.
  Parameters(const std::vector<Entry>& named);
  Parameters(std::initializer_list<Entry> named);

  std::vector<std::string> names;  // one a tensor, or none at all
};

}  // namespace espalier::nn
