#pragma once

#include <espalier/core/array.h>

#include <functional>
#include <initializer_list>
#include <memory>
#include <vector>

#include <dnnl.hpp>

// What is common to the kernels that run on oneDNN, and all that differs between its versions 2 and 3.
// For .cpp files of this folder only.
namespace espalier::kernels::onednn {

const dnnl::engine& engine();

dnnl::memory::data_type type_of(DType dtype);
// Elements with strides; sizes with the order left to oneDNN.
dnnl::memory::desc describe(const Shape& shape, const Strides& strides, DType dtype);
dnnl::memory::desc any_order(const Shape& shape, DType dtype);

// Primitives take their scratchpad from us: oneDNN's own is not safe when threads share a primitive.
dnnl::primitive_attr attributes();
// The same, with a ReLU of the result.
dnnl::primitive_attr attributes_with_relu();

// The description of a primitive without / with a forward one as hint.
template <class P, class... A>
typename P::primitive_desc describe_with(const dnnl::primitive_attr& attributes, const A&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), args..., attributes};
#else
  return {typename P::desc(args...), attributes, engine()};
#endif
}
template <class P, class... A>
typename P::primitive_desc describe_primitive(const A&... args) {
  return describe_with<P>(attributes(), args...);
}
template <class P, class Hint, class... A>
typename P::primitive_desc describe_backward(const Hint& hint, const A&... args) {
#if DNNL_VERSION_MAJOR >= 3
  return {engine(), args..., hint, attributes()};
#else
  return {typename P::desc(args...), attributes(), engine(), hint};
#endif
}

// True for oneDNN's slow generic implementations ("ref:any", on aarch64 "gemm:ref", whose sums depend on the
// number of threads too): worth a copy into another order to avoid.
template <class PrimitiveDesc>
bool is_slow(const PrimitiveDesc& d) {
  return std::string_view(d.impl_info_str()).find("ref") != std::string_view::npos;
}

// A primitive ready to run, any number of times and from any thread.
class Executable {
 public:
  Executable() = default;
  template <class P>
  Executable(const P& primitive, const typename P::primitive_desc& d)
      : primitive_(primitive), scratchpad_(d.scratchpad_desc()) {}

  struct Operand {
    int role;  // DNNL_ARG_…
    const dnnl::memory::desc& desc;
    void* data;
  };
  void run(std::initializer_list<Operand> operands) const;

 private:
  dnnl::primitive primitive_;
  dnnl::memory::desc scratchpad_;
};

// The number of an order that weights are packed in (kernels/packed.h).
int64_t packing_order(const dnnl::memory::desc& desc);

// A reorder between two descriptions.
Executable make_reorder(const dnnl::memory::desc& from, const dnnl::memory::desc& to);

// What a primitive depends on. Every key begins with the number of threads: oneDNN divides the work when it
// builds.
class Key {
 public:
  explicit Key(std::initializer_list<int64_t> numbers);
  Key& add(const Array& a);
  bool operator==(const Key& other) const { return numbers_ == other.numbers_; }
  size_t hash() const;

 private:
  std::vector<int64_t> numbers_;
};
// The first number given to a key.
enum Kind : int64_t { kMatmul, kConvForward, kConvInput, kConvWeight };

std::shared_ptr<const void> find_or_make(const Key& key,
                                         const std::function<std::shared_ptr<const void>()>& make);

// What make() gave for an equal key before, or gives now; T{} when oneDNN refuses, so T's default must say
// so. The least recently used are dropped beyond a thousand.
template <class Make>
auto cached(const Key& key, Make&& make) {
  using T = decltype(make());
  std::function<std::shared_ptr<const void>()> shared = [&] {
    try {
      return std::make_shared<const T>(make());
    } catch (const dnnl::error&) {
      return std::make_shared<const T>();
    }
  };
  return std::static_pointer_cast<const T>(find_or_make(key, shared));
}

}  // namespace espalier::kernels::onednn
