#pragma once

#include <concepts>
#include <memory>
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
  AnyModule(M module) : held_(std::make_unique<Held<M>>(std::move(module))) {}
  AnyModule(const AnyModule& other) : held_(other.held_->clone()) {}
  AnyModule(AnyModule&&) noexcept = default;
  AnyModule& operator=(AnyModule other) noexcept {
    held_ = std::move(other.held_);
    return *this;
  }

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
    virtual std::unique_ptr<Holder> clone() const = 0;
    virtual Tensor call(const Tensor& x) = 0;
    virtual ModuleRef ref() const = 0;
  };
  template <class M>
  struct Held final : Holder {
    explicit Held(M m) : module(std::move(m)) {}
    std::unique_ptr<Holder> clone() const override { return std::make_unique<Held>(module); }
    Tensor call(const Tensor& x) override { return module(x); }
    ModuleRef ref() const override { return module.ref(); }
    M module;
  };

  std::unique_ptr<Holder> held_;
};

// Modules that run one after the other: nn::Sequential net{nn::Linear{2, 8}, nn::ReLU{}, nn::Linear{8, 1}};
// Their keys are "0", "1", …
class Sequential : public Module<Sequential> {
 public:
  Sequential() = default;
  template <TensorModule... M>
  requires(sizeof...(M) != 1 || !(std::same_as<M, Sequential> && ...))  // that would be a copy
      explicit(false) Sequential(M... modules) {
    modules_.reserve(sizeof...(M));
    (modules_.emplace_back(std::move(modules)), ...);
  }
  explicit Sequential(std::vector<AnyModule> modules) : modules_(std::move(modules)) {}

  Tensor forward(const Tensor& x);

  void append(AnyModule module) { modules_.push_back(std::move(module)); }
  size_t size() const { return modules_.size(); }
  AnyModule& operator[](size_t i) { return modules_.at(i); }
  auto begin() { return modules_.begin(); }
  auto end() { return modules_.end(); }

 private:
  friend struct detail::Access;
  static void espalier_fields(Sequential& self, Fields& out);

  std::vector<AnyModule> modules_;
};

}  // namespace espalier::nn
