#pragma once

#include <espalier/nn/call.h>
#include <espalier/nn/inspect.h>
#include <espalier/nn/ties.h>

namespace espalier::nn {

// Base of every module: `struct Net : nn::Module<Net>`, with its layers as members and a `forward`. Calling
// the module calls its forward. A struct without constructor and private members needs nothing else; other
// classes name their members by ESPALIER_FIELDS. Member functions mean what they mean in PyTorch. The base is
// empty.
//
// Copies are independent of their source; parameters that are one tensor are one tensor in the copy.
template <class Self>
struct Module {
  using ModuleBase = Module;

  Module() = default;
  Module(const Module& source) { detail::begin_copy(source.ref()); }
  Module(Module&&) noexcept {}
  Module& operator=(const Module& source) {
    if (this != &source) detail::begin_assign(ref(), source.ref());
    return *this;
  }
  Module& operator=(Module&&) noexcept { return *this; }

  template <class... A>
  decltype(auto) operator()(A&&... args) {
    return detail::call(self(), ref(), std::forward<A>(args)...);
  }
  template <class... A>
  decltype(auto) operator()(A&&... args) const {
    return detail::call(self(), ref(), std::forward<A>(args)...);
  }

  ModuleRef ref() const { return {const_cast<Self*>(&self()), detail::type_of<Self>()}; }

  // For an optimizer: each tensor once. The tensors are handles: writing to them writes to the module.
  Parameters parameters() const { return named_parameters(); }
  std::vector<Tensor> buffers() const { return detail::values(ref().named_buffers()); }
  std::vector<ModuleRef> children() const { return detail::values(ref().named_children()); }
  std::vector<ModuleRef> modules() const { return detail::values(ref().named_modules()); }
  Named<Tensor> named_parameters() const { return ref().named_parameters(); }
  Named<Tensor> named_buffers() const { return ref().named_buffers(); }
  Named<ModuleRef> named_children() const { return ref().named_children(); }
  Named<ModuleRef> named_modules() const { return ref().named_modules(); }
  int64_t num_parameters() const { return ref().num_parameters(); }

  // By path: "blocks.0.conv1", "blocks.0.conv1.weight".
  ModuleRef get_submodule(std::string_view path) const { return ref().get_submodule(path); }
  Parameter& get_parameter(std::string_view path) { return ref().get_parameter(path); }
  Buffer& get_buffer(std::string_view path) { return ref().get_buffer(path); }

  // Calls f(ModuleRef) for every module below this one and then for this one, children first.
  template <class F>
  Self& apply(F&& f) {
    ref().apply(f);
    return self();
  }

  // Sets the members called `training` of this and all below.
  Self& train(bool on = true) { return ref().train(on), self(); }
  Self& eval() { return train(false); }
  Self& requires_grad_(bool on = true) { return ref().requires_grad_(on), self(); }
  void zero_grad() { ref().zero_grad(); }
  // Converts floating point parameters and buffers; the tensors stay the same ones.
  Self& to(DType dtype) { return ref().to(dtype), self(); }

  StateDict state_dict() const { return ref().state_dict(); }
  // Copies the values of `state` into the model. What does not fit is a StateError that lists all of it; then
  // nothing has changed.
  LoadResult load_state_dict(const StateDict& state, const LoadOptions& options = {}) {
    return ref().load_state_dict(state, options);
  }
  // For a model from one tensor to another: the output's shape for an input's, found without data or memory
  // (or the error that a real run would give); the table of layers, parameters and cost; the output for x
  // with the record of how it came about.
  Shape check(const Shape& input, const InputOptions& options = {}) const {
    return nn::check(ref(), run, input, options);
  }
  std::string summary(const Shape& input, const InputOptions& options = {}) const {
    return nn::summary(ref(), run, input, options);
  }
  Traced trace(const Tensor& x, const trace::Options& options = {}) const {
    return nn::trace(ref(), run, x, options);
  }

  // `save` writes a state_dict of PyTorch's under a name that ends with .pt, .pth, .th, .bin or .ckpt, else a
  // safetensors file, or several and their index under a name that ends with .index.json. `load` reads
  // either, and NumPy's .npz, whatever its name.
  void save(const std::string& path, const SaveOptions& options = {}) const { ref().save(path, options); }
  LoadResult load(const std::string& path, const LoadOptions& options = {}) {
    return ref().load(path, options);
  }

 private:
  static Tensor run(void* module, const Tensor& x) { return (*static_cast<Self*>(module))(x); }
  Self& self() { return static_cast<Self&>(*this); }
  const Self& self() const { return static_cast<const Self&>(*this); }
};

template <class Self>
std::ostream& operator<<(std::ostream& out, const Module<Self>& module) {
  return out << module.ref();
}
template <class Self>
std::string to_string(const Module<Self>& module) {
  return to_string(module.ref());
}

}  // namespace espalier::nn

// Names all data members of a class in their order, so that its parameters and modules are found: settings
// too. Stands at the end of the class. A member left out does not compile.
#define ESPALIER_FIELDS(Self, ...)                                      \
  friend struct ::espalier::nn::detail::Access;                         \
  template <class Fields>                                               \
  static void espalier_fields(Self& self, Fields& out) {                \
    auto& [__VA_ARGS__] = self;                                         \
    ::espalier::nn::detail::add_listed(out, #__VA_ARGS__, __VA_ARGS__); \
  }

// g++ before 14 warns that `Block{.in = 64}` leaves the empty base without initialiser; it can't be told
// otherwise.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
#endif
