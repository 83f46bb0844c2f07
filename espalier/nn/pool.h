#pragma once

#include <espalier/nn/module.h>
#include <espalier/ops/pool.h>

// Pooling of [N, C, H, W] or [C, H, W]; what the options mean stands at the functions (ops/pool.h).
namespace espalier::nn {

struct MaxPool2d : Module<MaxPool2d> {
  explicit MaxPool2d(Pair kernel_size, MaxPool2dOptions options = {});
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  Pair kernel_size;
  MaxPool2dOptions options;
  ESPALIER_FIELDS(MaxPool2d, kernel_size, options)
};

struct AvgPool2d : Module<AvgPool2d> {
  explicit AvgPool2d(Pair kernel_size, AvgPool2dOptions options = {});
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  Pair kernel_size;
  AvgPool2dOptions options;
  ESPALIER_FIELDS(AvgPool2d, kernel_size, options)
};

struct AdaptiveAvgPool2d : Module<AdaptiveAvgPool2d> {
  explicit AdaptiveAvgPool2d(Pair output_size) : output_size(output_size) {}
  Tensor forward(const Tensor& x) const;
  std::string extra_repr() const;

  Pair output_size;
  ESPALIER_FIELDS(AdaptiveAvgPool2d, output_size)
};

extern template const ModuleType& detail::type_of<MaxPool2d>();
extern template const ModuleType& detail::type_of<AvgPool2d>();
extern template const ModuleType& detail::type_of<AdaptiveAvgPool2d>();

}  // namespace espalier::nn
