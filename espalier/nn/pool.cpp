#include <espalier/nn/checks.h>
#include <espalier/nn/pool.h>

namespace espalier::nn {

MaxPool2d::MaxPool2d(Pair kernel_size, MaxPool2dOptions options)
    : kernel_size(kernel_size), options(options) {
  if (options.stride == 0) this->options.stride = kernel_size;
}

AvgPool2d::AvgPool2d(Pair kernel_size, AvgPool2dOptions options)
    : kernel_size(kernel_size), options(options) {
  if (options.stride == 0) this->options.stride = kernel_size;
}

Tensor MaxPool2d::forward(const Tensor& x) const {
  detail::check_rank(x, 3, 4);
  return max_pool2d(x, kernel_size, options);
}

Tensor AvgPool2d::forward(const Tensor& x) const {
  detail::check_rank(x, 3, 4);
  return avg_pool2d(x, kernel_size, options);
}

Tensor AdaptiveAvgPool2d::forward(const Tensor& x) const {
  detail::check_rank(x, 3, 4);
  return adaptive_avg_pool2d(x, output_size);
}

std::string MaxPool2d::extra_repr() const {
  return concat("kernel_size=", detail::python(kernel_size), ", stride=", detail::python(options.stride),
                ", padding=", detail::python(options.padding),
                ", dilation=", detail::python(options.dilation),
                ", ceil_mode=", detail::python(options.ceil_mode));
}

std::string AvgPool2d::extra_repr() const {
  return concat("kernel_size=", detail::python(kernel_size), ", stride=", detail::python(options.stride),
                ", padding=", detail::python(options.padding));
}

std::string AdaptiveAvgPool2d::extra_repr() const {
  return concat("output_size=", detail::python(output_size));
}

template const ModuleType& detail::type_of<MaxPool2d>();
template const ModuleType& detail::type_of<AvgPool2d>();
template const ModuleType& detail::type_of<AdaptiveAvgPool2d>();

}  // namespace espalier::nn
