#pragma once

#include <concepts>
#include <utility>
#include <vector>

#include <espalier/nn/module.h>

namespace espalier::nn {

template <class M>
concept TensorModule = requires(M m, const Tensor& x) {
  typename M::ModuleBase;
  { m.forward(x) } -> std::convertible_to<Tensor>;
};

// Any module whose forward takes a tensor and gives one, kept by value: a copy is a copy of the module.
class AnyModule {
 public:
  template <TensorModule M>
  AnyModule(M module) : held_(new Held<M>(std::move(module))) {}
  AnyModule(const AnyModule& other) : held_(other.held_->clone()) {}
  AnyModule(AnyModule&& other) noexcept : held_(std::exchange(other.held_, nullptr)) {}
  AnyModule& operator=(AnyModule other) noexcept {
    std::swap(held_, other.held_);
    return *this;
  }
  ~AnyModule() { delete held_; }

  Tensor operator()(const Tensor& x) { return held_->call(x); }
  ModuleRef ref() const { return held_->ref(); }
  // The module, where it is an M; else null.
  template <class M>
  M* as() const {
    return ref().as<M>();
  }

 private:
  struct Holder {
    virtual ~Holder() = default;
    virtual Holder* clone() const = 0;
    virtual Tensor call(const Tensor& x) = 0;
    virtual ModuleRef ref() const = 0;
  };
  template <class M>
  struct Held final : Holder {
    explicit Held(M m) : module(std::move(m)) {}
    Holder* clone() const override { return new Held(module); }
    Tensor call(const Tensor& x) override { return module(x); }
    ModuleRef ref() const override { return module.ref(); }
    M module;
  };

  Holder* held_;
};

// Modules that run one after the other: nn::Sequential net{nn::Linear{2, 8}, nn::ReLU{}, nn::Linear{8, 1}};
// Their keys are "0", "1", …
class Sequential : public Module<Sequential> {
 public:
  Sequential() = default;
  template <TensorModule... M>
  requires(sizeof...(M) != 1 || !(std::same_as<M, Sequential> && ...))  // that would be a copy
      explicit(false) Sequential(M... modules) {
    (append(std::move(modules)), ...);
  }
  explicit Sequential(std::vector<AnyModule> modules);

  Tensor forward(const Tensor& x);

  void append(AnyModule module);
  size_t size() const { return modules_.size(); }
  AnyModule& operator[](size_t i);
  auto begin() { return modules_.begin(); }
  auto end() { return modules_.end(); }

 private:
  friend struct detail::Access;
  static void espalier_fields(Sequential& self, Fields& out);

  std::vector<AnyModule> modules_;
};

}  // namespace espalier::nn
