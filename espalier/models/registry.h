#pragma once

#include <string>
#include <vector>

#include <espalier/core/shared.h>
#include <espalier/nn/inspect.h>
#include <espalier/nn/module.h>

// Models that are chosen by name at run time.
namespace espalier::models {

class Model {
 public:
  template <class M>
  static Model of(M model) {
    auto owner = Shared<M>::make(std::move(model));
    return Model(owner, owner->ref(),
                 [](void* m, const Tensor& x) -> Tensor { return (*static_cast<M*>(m))(x); });
  }

  Tensor operator()(const Tensor& x) const { return run_(ref_.address(), x); }
  nn::ModuleRef ref() const { return ref_; }
  nn::Run run() const { return run_; }

 private:
  Model(Owner owner, nn::ModuleRef ref, nn::Run run) : owner_(std::move(owner)), ref_(ref), run_(run) {}

  Owner owner_;
  nn::ModuleRef ref_;
  nn::Run run_;
};

// A fresh model for `classes` classes, initialised from default_generator(). Throws ValueError that lists the
// names there are.
Model create(const std::string& name, int64_t classes);
std::vector<std::string> names();
// The shape of one example that the model takes: [3, 32, 32].
Shape input_shape(const std::string& name);

}  // namespace espalier::models
