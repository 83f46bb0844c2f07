#include <espalier/core/error.h>
#include <espalier/io/weights.h>
#include <espalier/nn/load_plan.h>

namespace espalier::nn {
namespace {

detail::StateItem item_of(const std::string& name, const io::StoredTensor& t) {
  detail::StateItem item{name, t.shape, std::string(t.type->name), {}, true};
  if (t.type->array_dtype()) item.values = [&t] { return Tensor(io::to_array(t)); };
  return item;
}

}  // namespace

LoadResult ModuleRef::load_state_dict(const StateDict& state, const LoadOptions& options) const {
  std::vector<detail::StateItem> items;
  for (auto& [name, tensor] : state) {
    items.push_back({name, tensor.shape(), concat(tensor.dtype()), [&] { return tensor; }, false});
  }
  return detail::LoadPlan(*this, std::move(items), options).load();
}

LoadResult ModuleRef::load(const std::string& path, const LoadOptions& options) const {
  io::WeightsFile file(path);
  std::vector<detail::StateItem> items;
  for (const io::StoredTensor& t : file.tensors()) items.push_back(item_of(t.name, t));
  for (auto& [name, place] : file.aliases()) items.push_back(item_of(name, file.tensors()[place]));
  try {
    return detail::LoadPlan(*this, std::move(items), options).load();
  } catch (StateError& error) {
    error.prepend(path + ": ");
    throw;
  }
}

}  // namespace espalier::nn
