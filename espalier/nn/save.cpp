#include <espalier/io/pytorch.h>
#include <espalier/io/safetensors.h>
#include <espalier/nn/module_ref.h>

#include <map>

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

// As Python's save_model does: of the names of a tensor the first in the alphabet is saved, the others are
// noted.
void save_safetensors(const std::string& path, const StateDict& state, const SaveOptions& options) {
  std::map<std::string, Tensor> sorted(state.begin(), state.end());
  std::map<const TensorBody*, std::string> kept;
  std::vector<io::NamedArray> arrays;
  io::Metadata metadata{{"format", "pt"}};
  for (auto& [name, tensor] : sorted) {
    auto [place, is_new] = kept.try_emplace(tensor.body(), name);
    if (is_new) arrays.push_back({name, tensor.array()});
    else metadata.emplace(name, place->second);
  }
  if (!path.ends_with(".index.json")) return io::write_safetensors(path, arrays, metadata);
  io::write_safetensors_shards(path, arrays, options.max_shard_bytes, metadata);
}

}  // namespace

StateDict ModuleRef::state_dict() const {
  StateDict out;
  collect_state(*this, "", out);
  out.versions = versions_of(*this);
  return out;
}

void ModuleRef::save(const std::string& path, const SaveOptions& options) const {
  if (io::has_pytorch_name(path)) io::write_pytorch(path, state_dict());
  else save_safetensors(path, state_dict(), options);
}

}  // namespace espalier::nn
