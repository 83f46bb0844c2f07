#pragma once

#include <espalier/nn/module.h>

// The functions between layers, as modules.
namespace espalier::nn {

struct ReLU : Module<ReLU> {
  Tensor forward(const Tensor& x) const;
};

struct Sigmoid : Module<Sigmoid> {
  Tensor forward(const Tensor& x) const;
};

struct Tanh : Module<Tanh> {
  Tensor forward(const Tensor& x) const;
};

struct SiLU : Module<SiLU> {
  Tensor forward(const Tensor& x) const;
};

// `nn::GELU gelu{.approximate = "tanh"};`
struct GELU : Module<GELU> {
  const char* approximate = "none";
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;
};

}  // namespace espalier::nn
