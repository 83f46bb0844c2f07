#pragma once

#include <espalier/nn/parameter.h>
#include <espalier/nn/parameters.h>
#include <espalier/nn/state_dict.h>

#include <iosfwd>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace espalier::nn {

struct Fields;

template <class T>
using Named = std::vector<std::pair<std::string, T>>;

// What is known of a module's type at run time.
struct ModuleType {
  std::string_view kind;  // "Conv2d"
  void (*fields)(void* module, Fields& out);
  std::string (*extra_repr)(const void* module);  // null where the type has none
};

namespace detail {
template <class T>
const ModuleType& type_of();
}

// A handle to a module of any type; the module must outlive it. Two handles are equal when they are to one
// module. What nn::Module offers is done here, once for all types; the meaning of each function is PyTorch's.
class ModuleRef {
 public:
  ModuleRef(void* module, const ModuleType& type) : module_(module), type_(&type) {}

  std::string_view kind() const { return type_->kind; }  // the type's name: "Conv2d"
  std::string extra_repr() const;                        // the settings, as printed
  void* address() const { return module_; }
  // The module, where it is an M; else null.
  template <class M>
  M* as() const {
    return type_ == &detail::type_of<M>() ? static_cast<M*>(module_) : nullptr;
  }
  bool operator==(const ModuleRef&) const = default;

  Fields fields() const;
  Named<ModuleRef> named_children() const;
  // This module, then those below it, each once and before its children.
  Named<ModuleRef> named_modules() const;
  // Own ones first, then those of the modules below; a tensor under several names stands under the first.
  Named<Tensor> named_parameters() const;
  Named<Tensor> named_buffers() const;
  int64_t num_parameters() const;

  // By path ("blocks.0.conv1"). Throw ValueError that lists what there is.
  ModuleRef get_submodule(std::string_view path) const;
  Parameter& get_parameter(std::string_view path) const;
  Buffer& get_buffer(std::string_view path) const;

  void train(bool on) const;
  void requires_grad_(bool on) const;
  void zero_grad() const;  // drops the gradients
  void to(DType dtype) const;

  template <class F>
  void apply(F&& f) const {
    for (auto& [name, child] : named_children()) child.apply(f);
    f(*this);
  }

  StateDict state_dict() const;
  LoadResult load_state_dict(const StateDict& state, const LoadOptions& options) const;
  void save(const std::string& path, const SaveOptions& options = {}) const;
  LoadResult load(const std::string& path, const LoadOptions& options) const;

 private:
  void* module_;
  const ModuleType* type_;
};

// One level of a module tree: the members that are parameters, buffers, modules and training flags, in order.
struct Fields {
  void add(std::string_view name, Parameter& p);
  void add(std::string_view name, Buffer& b);
  void add(std::string_view name, ModuleRef module);
  void add_flag(std::string_view name, bool& flag);

  Named<Parameter*> parameters;
  Named<Buffer*> buffers;
  Named<ModuleRef> children;
  std::vector<bool*> training;
};

namespace detail {

template <class T>
std::vector<T> values(const Named<T>& named) {
  std::vector<T> out;
  for (auto& [name, value] : named) out.push_back(value);
  return out;
}

}  // namespace detail

// As PyTorch prints a module.
std::string to_string(ModuleRef module);
std::ostream& operator<<(std::ostream& out, ModuleRef module);

}  // namespace espalier::nn
