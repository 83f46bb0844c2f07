#pragma once

#include <concepts>
#include <initializer_list>
#include <string>
#include <utility>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier::optim {

// Tensors to be optimised, with the names under which an optimizer saves what it knows of them:
// model.parameters(), model.named_parameters(), or a plain list, whose tensors are named "0", "1", ….
class Parameters {
 public:
  Parameters(std::initializer_list<Tensor> tensors) : tensors_(tensors) {}
  Parameters(std::vector<Tensor> tensors) : tensors_(std::move(tensors)) {}
  Parameters(std::initializer_list<std::pair<std::string, Tensor>> named) { add_all(named); }
  // A list of names and tensors, in any container.
  template <class Named>
  requires requires(const Named& named) {
    { named.begin()->first } -> std::convertible_to<std::string>;
    { named.begin()->second } -> std::convertible_to<Tensor>;
  }
  Parameters(const Named& named) { add_all(named); }

  const std::vector<Tensor>& tensors() const { return tensors_; }
  // Empty for a plain list.
  const std::vector<std::string>& names() const { return names_; }

 private:
  template <class Named>
  void add_all(const Named& named) {
    for (const auto& [name, tensor] : named) {
      names_.push_back(name);
      tensors_.push_back(tensor);
    }
  }

  std::vector<Tensor> tensors_;
  std::vector<std::string> names_;
};

}  // namespace espalier::optim
