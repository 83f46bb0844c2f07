#include <espalier/nn/checks.h>
#include <espalier/nn/conv.h>
#include <espalier/nn/init.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>

namespace espalier::nn {

Conv2d::Conv2d(int64_t in_channels, int64_t out_channels, Pair kernel_size, Conv2dOptions options)
    : in_channels(in_channels),
      out_channels(out_channels),
      kernel_size(kernel_size),
      stride(options.stride),
      padding(options.padding),
      dilation(options.dilation),
      groups(options.groups) {
  detail::check_setting("Conv2d", "groups", groups, 1);
  detail::check_setting("Conv2d", "in_channels", in_channels, 1);
  detail::check_setting("Conv2d", "out_channels", out_channels, 1);
  detail::check_setting("Conv2d", "kernel_size", std::min(kernel_size.h, kernel_size.w), 1);
  detail::check_setting("Conv2d", "stride", std::min(stride.h, stride.w), 1);
  detail::check_setting("Conv2d", "padding", std::min(padding.h, padding.w), 0);
  detail::check_setting("Conv2d", "dilation", std::min(dilation.h, dilation.w), 1);
  require<ValueError>(in_channels % groups == 0 && out_channels % groups == 0, "Conv2d: ", in_channels,
                      " and ", out_channels, " channels can't be divided into ", groups, " groups");
  weight = empty({out_channels, in_channels / groups, kernel_size.h, kernel_size.w});
  if (options.bias) bias = empty({out_channels});
  reset_parameters();
}

void Conv2d::reset_parameters() { init::linear_(weight, bias); }

Tensor Conv2d::forward(const Tensor& x) const {
  detail::check_rank(x, 3, 4);
  detail::check_size(x, -3, in_channels, "input channels");
  return conv2d(x, weight, bias,
                {.stride = stride, .padding = padding, .dilation = dilation, .groups = groups});
}

std::string Conv2d::extra_repr() const {
  std::string text =
      concat(in_channels, ", ", out_channels, ", kernel_size=", kernel_size, ", stride=", stride);
  if (padding != 0) text += concat(", padding=", padding);
  if (dilation != 1) text += concat(", dilation=", dilation);
  if (groups != 1) text += concat(", groups=", groups);
  return text + (bias.defined() ? "" : ", bias=False");
}

template const ModuleType& detail::type_of<Conv2d>();

}  // namespace espalier::nn
