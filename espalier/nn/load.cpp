#include <espalier/core/error.h>
#include <espalier/io/weights.h>
#include <espalier/nn/load_plan.h>

namespace espalier::nn {
namespace {

// Every name below a module, those of a shared tensor too.
void collect_state(ModuleRef module, const std::string& path, StateDict& out) {
  Fields fields = module.fields();
  for (auto& [name, p] : fields.parameters) {
    if (p->defined()) out.set(path + name, *p);
  }
  for (auto& [name, b] : fields.buffers) {
    if (b->defined() && b->persistent()) out.set(path + name, *b);
  }
  for (auto& [name, child] : fields.children) collect_state(child, concat(path, name, "."), out);
}

// How old a module's state is, as PyTorch counts.
io::ModuleVersions versions_of(ModuleRef model) {
  io::ModuleVersions out;
  for (auto& [path, module] : model.named_modules()) {
    out.emplace_back(path, module.kind().starts_with("BatchNorm") ? 2 : 1);
  }
  return out;
}

detail::StateItem item_of(const std::string& name, const io::StoredTensor& t) {
  detail::StateItem item{name, t.shape, std::string(t.type->name), {}};
  if (t.type->array_dtype()) item.values = [&t] { return Tensor(io::to_array(t)); };
  return item;
}

}  // namespace

StateDict ModuleRef::state_dict() const {
  StateDict out;
  collect_state(*this, "", out);
  return out;
}

LoadResult ModuleRef::load_state_dict(const StateDict& state, const LoadOptions& options) const {
  std::vector<detail::StateItem> items;
  for (auto& [name, tensor] : state) {
    items.push_back({name, tensor.shape(), concat(tensor.dtype()), [&] { return tensor; }});
  }
  return detail::LoadPlan(*this, std::move(items), options).load();
}

void ModuleRef::save(const std::string& path) const {
  std::vector<io::NamedArray> arrays;
  for (auto& [name, tensor] : state_dict()) arrays.push_back({name, tensor.array()});
  if (io::has_pytorch_name(path)) io::write_pytorch(path, arrays, versions_of(*this));
  else io::write_safetensors(path, arrays);
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
