#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>
#include <espalier/io/weights.h>
#include <espalier/nn/module_ref.h>

#include <cstring>
#include <map>
#include <optional>

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

std::string described(const Tensor& t) { return concat(t.dtype(), " ", t.shape()); }

// To the bit, so that NaN equals itself. The shapes and dtypes are the same.
bool same_values(const Tensor& a, const Tensor& b) {
  Array x = a.detach().contiguous().array(), y = b.detach().contiguous().array();
  if (x.numel() == 0 || x.data() == y.data()) return true;
  return std::memcmp(x.data(), y.data(), static_cast<size_t>(x.bytes())) == 0;
}

// Compares a state with a model: what can be loaded, and all that can't.
class Plan {
 public:
  Plan(ModuleRef module, const StateDict& state) : module_(module), model_(module.state_dict()) {
    for (auto& [name, mine] : model_) {
      if (const Tensor* theirs = state.find(name)) match(name, mine, *theirs);
    }
    for (auto& [name, mine] : model_) {
      if (!state.contains(name) && !sources_.count(mine.body())) result_.missing.push_back(name);
    }
    for (auto& [name, theirs] : state) {
      if (!model_.contains(name)) result_.unexpected.push_back(name);
    }
  }

  void check(bool strict) const {
    bool names_fit = result_.missing.empty() && result_.unexpected.empty();
    if (misfits_.empty() && (!strict || names_fit)) return;
    std::string text = concat("the state does not fit ", module_.kind(), "; nothing was loaded");
    text += listed("missing from the state", result_.missing);
    text += listed("not in the model", result_.unexpected);
    text += listed("different", misfits_);
    throw StateError(text + prefix_advice());
  }

  LoadResult load() {
    NoGrad guard;
    for (auto& [body, source] : sources_) Tensor(Ref<TensorBody>(body)).copy_(source.second);
    return std::move(result_);
  }

 private:
  void match(const std::string& name, const Tensor& mine, const Tensor& theirs) {
    if (mine.shape() != theirs.shape() || mine.dtype() != theirs.dtype()) {
      misfits_.push_back(
          concat(name, ": ", described(mine), " in the model, ", described(theirs), " in the state"));
      return;
    }
    auto [place, first] = sources_.try_emplace(mine.body(), name, theirs);
    auto& [known_name, known] = place->second;
    if (!first && !same_values(known, theirs)) {
      misfits_.push_back(
          concat(name, ": one tensor with ", known_name, " in the model, other values in the state"));
    }
  }

  static std::string listed(const char* title, const std::vector<std::string>& lines) {
    std::string out = lines.empty() ? "" : concat("\n  ", title, ":");
    for (auto& line : lines) out += "\n    " + line;
    return out;
  }

  // Wrappers put their own name in front of every key.
  std::string prefix_advice() const {
    for (auto& missing : result_.missing) {
      for (auto& extra : result_.unexpected) {
        if (!extra.ends_with("." + missing)) continue;
        std::string prefix = extra.substr(0, extra.size() - missing.size());
        return concat("\n  the names in the state start with '", prefix, "': load state.without_prefix(\"",
                      prefix, "\")");
      }
    }
    return {};
  }

  ModuleRef module_;
  StateDict model_;
  LoadResult result_;
  std::vector<std::string> misfits_;
  std::map<TensorBody*, std::pair<std::string, Tensor>> sources_;  // what goes into each tensor, and its name
};

// How old a module's state is, as PyTorch counts.
io::ModuleVersions versions_of(ModuleRef model) {
  io::ModuleVersions out;
  for (auto& [path, module] : model.named_modules()) {
    out.emplace_back(path, module.kind().starts_with("BatchNorm") ? 2 : 1);
  }
  return out;
}

}  // namespace

StateDict ModuleRef::state_dict() const {
  StateDict out;
  collect_state(*this, "", out);
  return out;
}

LoadResult ModuleRef::load_state_dict(const StateDict& state, const LoadOptions& options) const {
  Plan plan(*this, state);
  plan.check(options.strict);
  return plan.load();
}

void ModuleRef::save(const std::string& path) const {
  std::vector<io::NamedArray> arrays;
  for (auto& [name, tensor] : state_dict()) arrays.push_back({name, tensor.array()});
  if (io::has_pytorch_name(path)) io::write_pytorch(path, arrays, versions_of(*this));
  else io::write_safetensors(path, arrays);
}

LoadResult ModuleRef::load(const std::string& path, const LoadOptions& options) const {
  StateDict state;
  for (auto& [name, array] : io::read_weights(path)) state.set(name, Tensor(array));
  try {
    return load_state_dict(state, options);
  } catch (StateError& error) {
    error.prepend(path + ": ");
    throw;
  }
}

}  // namespace espalier::nn
