#pragma once

#include <functional>
#include <map>

#include <espalier/nn/module_ref.h>

namespace espalier::nn::detail {

// A tensor of a state: what it is, and its values when they are asked for.
struct StateItem {
  std::string name;
  Shape shape;
  std::string dtype;
  std::function<Tensor()> values;  // none where no tensor can hold them
  bool once = false;               // the values lie in a file that nobody else looks at
};

// Compares a state with a model: what can be loaded, and all that can't.
class LoadPlan {
 public:
  LoadPlan(ModuleRef module, std::vector<StateItem> state, const LoadOptions& options);

  // Throws StateError that lists all that does not fit; then nothing has changed.
  LoadResult load();

 private:
  struct Source {
    std::string name;
    const StateItem* item;
  };
  void sort_names();
  void match(const std::string& name, const Tensor& mine, const StateItem& theirs);
  void find_missing();
  void check() const;
  std::string advice() const;

  ModuleRef module_;
  LoadOptions options_;
  StateDict model_;
  std::vector<StateItem> items_;
  std::map<std::string, const StateItem*> state_;  // by the model's names
  LoadResult result_;
  std::vector<std::string> misfits_;
  std::map<TensorBody*, Source> sources_;  // what goes into each tensor
};

}  // namespace espalier::nn::detail
