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

struct Softmax : Module<Softmax> {
  explicit Softmax(int64_t dim) : dim(dim) {}
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  int64_t dim;
  ESPALIER_FIELDS(Softmax, dim)
};

struct LogSoftmax : Module<LogSoftmax> {
  explicit LogSoftmax(int64_t dim) : dim(dim) {}
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  int64_t dim;
  ESPALIER_FIELDS(LogSoftmax, dim)
};

}  // namespace espalier::nn
