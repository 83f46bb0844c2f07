#pragma once

#include <espalier/core/pair.h>
#include <espalier/nn/module.h>

namespace espalier::nn {

struct Conv2dOptions {
  Pair stride = 1, padding = 0, dilation = 1;
  int64_t groups = 1;
  bool bias = true;
};

// Convolution of [N, in_channels, H, W] or [in_channels, H, W].
struct Conv2d : Module<Conv2d> {
  Conv2d(int64_t in_channels, int64_t out_channels, Pair kernel_size, Conv2dOptions options = {});

  Tensor forward(const Tensor& x) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t in_channels, out_channels;
  Pair kernel_size, stride, padding, dilation;
  int64_t groups;
  Parameter weight;  // [out_channels, in_channels / groups, height, width]
  Parameter bias;    // [out_channels]
  ESPALIER_FIELDS(Conv2d, in_channels, out_channels, kernel_size, stride, padding, dilation, groups, weight,
                  bias)
};

extern template const ModuleType& detail::type_of<Conv2d>();

}  // namespace espalier::nn
