#pragma once

#include <espalier/autograd/tensor.h>

#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

namespace espalier::nn {

// Names and their tensors, in order. A model's state_dict shares memory with the model.
class StateDict {
 public:
  using Entry = std::pair<std::string, Tensor>;

  StateDict() = default;
  StateDict(std::initializer_list<Entry> entries);

  // Replaces the tensor of a name that is there.
  void set(std::string name, Tensor value);
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  const Tensor* find(std::string_view name) const;  // null where there is none
  const Tensor& at(std::string_view name) const;    // throws StateError
  const Tensor& operator[](std::string_view name) const { return at(name); }
  size_t size() const { return entries_.size(); }
  bool empty() const { return entries_.empty(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }

  // The same with `prefix` taken from the names that start with it: "module.fc.weight" becomes "fc.weight".
  StateDict without_prefix(std::string_view prefix) const;

 private:
  std::vector<Entry> entries_;
  std::unordered_map<std::string, size_t> places_;
};

struct LoadOptions {
  bool strict = true;  // false: names that are missing or unexpected are no error
};

struct LoadResult {
  std::vector<std::string> missing;     // in the model only
  std::vector<std::string> unexpected;  // in the state only
};

}  // namespace espalier::nn
