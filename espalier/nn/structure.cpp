#include <espalier/nn/structure.h>

#include <map>

namespace espalier::nn {
namespace {

using Seen = std::map<const TensorBody*, std::string>;

std::string join(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

trace::Structure structure(ModuleRef module, const std::string& path, const std::string& name, Seen& seen) {
  trace::Structure out{
      .path = path, .name = name, .kind = std::string(module.kind()), .settings = module.extra_repr()};
  Fields fields = module.fields();
  for (const auto& [key, p] : fields.parameters) {
    if (!p->defined()) continue;
    std::string full = join(path, key);
    auto [first, is_first] = seen.emplace(p->body(), full);
    out.parameters.push_back(
        {full, p->shape(), p->dtype(), p->requires_grad(), is_first ? "" : first->second});
  }
  for (const auto& [key, child] : fields.children)
    out.children.push_back(structure(child, join(path, key), key, seen));
  return out;
}

}  // namespace

trace::Structure structure(ModuleRef model) {
  Seen seen;
  return structure(model, "", "", seen);
}

}  // namespace espalier::nn
