#include <espalier/nn/parameters.h>

namespace espalier::nn {

Parameters::Parameters(std::initializer_list<Tensor> tensors) : vector(tensors) {}

Parameters::Parameters(const std::vector<Entry>& named) {
  for (auto& [name, tensor] : named) {
    names.push_back(name);
    push_back(tensor);
  }
}

Parameters::Parameters(std::initializer_list<Entry> named) : Parameters(std::vector<Entry>(named)) {}

}  // namespace espalier::nn
