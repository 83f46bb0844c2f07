#include <espalier/nn/members.h>

#include <algorithm>
#include <unordered_set>

namespace espalier::nn {
namespace {

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : concat(path, ".", name);
}

void collect_modules(ModuleRef module, const std::string& path, Named<ModuleRef>& out) {
  auto known = [&](auto& entry) { return entry.second == module; };
  if (std::any_of(out.begin(), out.end(), known)) return;
  out.emplace_back(path, module);
  for (auto& [name, child] : module.fields().children) collect_modules(child, joined(path, name), out);
}

// Calls f(name, field) for the parameters or buffers that there are, of each module in turn.
template <class T, class F>
void each_tensor(ModuleRef root, Named<T*> Fields::*which, F&& f) {
  for (auto& [path, module] : root.named_modules()) {
    Fields fields = module.fields();
    for (auto& [name, field] : fields.*which) {
      if (field->defined()) f(joined(path, name), *field);
    }
  }
}

template <class T>
Named<Tensor> each_once(ModuleRef root, Named<T*> Fields::*which) {
  Named<Tensor> out;
  std::unordered_set<const void*> seen;
  each_tensor(root, which, [&](std::string name, T& field) {
    if (seen.insert(field.body()).second) out.emplace_back(std::move(name), field);
  });
  return out;
}

template <class T>
T named(ModuleRef module, const Named<T>& choices, std::string_view name, const char* what) {
  std::string names;
  for (auto& [n, value] : choices) {
    if (n == name) return value;
    names += names.empty() ? n : ", " + n;
  }
  throw ValueError(concat(module.kind(), " has no ", what, " called '", name, "'; it has ",
                          names.empty() ? "none" : names));
}

std::pair<ModuleRef, std::string_view> owner(ModuleRef root, std::string_view path) {
  auto dot = path.rfind('.');
  if (dot == path.npos) return {root, path};
  return {root.get_submodule(path.substr(0, dot)), path.substr(dot + 1)};
}

void convert(Tensor& t, DType dtype) {
  if (!t.is_floating_point() || t.dtype() == dtype) return;
  TensorBody& body = *t.body();
  body.array = t.detach().to(dtype).array();
  if (body.grad.defined()) body.grad = body.grad.detach().to(dtype);
}

}  // namespace

// Each name stands behind the last ':' (g++) or '.' (clang) of what follows `nowhere_at_all`.
std::string detail::names_in(std::string_view text) {
  constexpr std::string_view kObject = "nowhere_at_all";
  text = text.substr(0, text.rfind("}}"));
  std::string out;
  for (auto begin = text.find(kObject); begin != text.npos;) {
    auto end = text.find(kObject, begin + kObject.size());
    std::string_view place = text.substr(begin, end - begin);
    std::string_view name = place.substr(place.find_last_of(":.") + 1);
    out += concat(out.empty() ? "" : ", ", name.substr(0, name.find_first_of("),")));
    begin = end;
  }
  return out;
}

std::string_view detail::next_name(std::string_view& names) {
  auto end = std::min(names.find(','), names.size());
  std::string_view name = names.substr(0, end);
  names.remove_prefix(std::min(names.find_first_not_of(", ", end), names.size()));
  return name;
}

std::string ModuleRef::extra_repr() const {
  return type_->extra_repr ? type_->extra_repr(module_) : std::string();
}

void Fields::add(std::string_view name, Parameter& p) { parameters.emplace_back(name, &p); }
void Fields::add(std::string_view name, Buffer& b) { buffers.emplace_back(name, &b); }
void Fields::add(std::string_view name, ModuleRef module) { children.emplace_back(name, module); }
void Fields::add_flag(std::string_view name, bool& flag) {
  if (name == "training") training.push_back(&flag);
}

Fields ModuleRef::fields() const {
  Fields out;
  type_->fields(module_, out);
  return out;
}

Named<ModuleRef> ModuleRef::named_children() const { return fields().children; }

Named<ModuleRef> ModuleRef::named_modules() const {
  Named<ModuleRef> out;
  collect_modules(*this, "", out);
  return out;
}

Named<Tensor> ModuleRef::named_parameters() const { return each_once(*this, &Fields::parameters); }
Named<Tensor> ModuleRef::named_buffers() const { return each_once(*this, &Fields::buffers); }

int64_t ModuleRef::num_parameters() const {
  int64_t n = 0;
  for (auto& [name, p] : named_parameters()) n = checked_add(n, p.numel(), "num_parameters");
  return n;
}

ModuleRef ModuleRef::get_submodule(std::string_view path) const {
  if (path.empty()) return *this;
  auto dot = path.find('.');
  ModuleRef child = named(*this, fields().children, path.substr(0, dot), "module");
  return dot == path.npos ? child : child.get_submodule(path.substr(dot + 1));
}

Parameter& ModuleRef::get_parameter(std::string_view path) const {
  auto [module, name] = owner(*this, path);
  return *named(module, module.fields().parameters, name, "parameter");
}

Buffer& ModuleRef::get_buffer(std::string_view path) const {
  auto [module, name] = owner(*this, path);
  return *named(module, module.fields().buffers, name, "buffer");
}

void ModuleRef::train(bool on) const {
  for (auto& [path, module] : named_modules()) {
    for (bool* flag : module.fields().training) *flag = on;
  }
}

void ModuleRef::requires_grad_(bool on) const {
  for (auto& [name, p] : named_parameters()) p.requires_grad_(on);
}

void ModuleRef::zero_grad() const {
  for (auto& [name, p] : named_parameters()) p.set_grad({});
}

void ModuleRef::to(DType dtype) const {
  require<DTypeError>(is_floating_point(dtype), "to: a module's dtype is a floating point one, got ", dtype);
  for (auto& [name, p] : named_parameters()) convert(p, dtype);
  for (auto& [name, b] : named_buffers()) convert(b, dtype);
}

}  // namespace espalier::nn
