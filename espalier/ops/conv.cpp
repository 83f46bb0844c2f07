#include <espalier/ops/conv.h>

#include <espalier/autograd/autocast.h>
#include <espalier/autograd/record.h>
#include <espalier/kernels/channels_last.h>
#include <espalier/kernels/conv.h>
#include <espalier/kernels/winograd.h>

namespace espalier {
namespace {

kernels::ConvGeometry geometry(const Conv2dOptions& o) { return {o.stride, o.padding, o.dilation, o.groups}; }

// Sizes fit in 31 bits, oneDNN's and our own limit for one side of an image and for a setting.
int64_t output_size(int64_t in, int64_t kernel, int64_t stride, int64_t padding, int64_t dilation) {
  return (in + 2 * padding - dilation * (kernel - 1) - 1) / stride + 1;
}

void check_options(const Conv2dOptions& o) {
  auto within = [](const Pair& p, int64_t low) {
    constexpr int64_t kMost = int64_t{1} << 30;
    return p.h >= low && p.w >= low && p.h <= kMost && p.w <= kMost;
  };
  require<ValueError>(within(o.stride, 1), "conv2d: the stride must be at least 1, got ", o.stride);
  require<ValueError>(within(o.padding, 0), "conv2d: the padding can't be negative, got ", o.padding);
  require<ValueError>(within(o.dilation, 1), "conv2d: the dilation must be at least 1, got ", o.dilation);
  require<ValueError>(o.groups >= 1, "conv2d: groups must be at least 1, got ", o.groups);
}

// The shape of conv2d's result for shapes [N, C, H, W] and [O, C / groups, KH, KW].
Shape output_shape(const Shape& x, const Shape& w, const Conv2dOptions& o) {
  check_options(o);
  require<ShapeError>(w.rank() == 4, "conv2d: the weight must be [out, in / groups, height, width], got ", w);
  require<ShapeError>(x[1] == w[1] * o.groups, "expected ", w[1] * o.groups, " input channels, got ", x[1],
                      "; the input is ", x, ", the weight ", w);
  require<ShapeError>(w[0] % o.groups == 0, "conv2d: ", w[0], " output channels can't be divided among ",
                      o.groups, " groups");
  require<ShapeError>(w[2] > 0 && w[3] > 0 && w[1] > 0, "conv2d: the weight ", w, " is empty");
  int64_t h = x[2] + 2 * o.padding.h - o.dilation.h * (w[2] - 1),
          width = x[3] + 2 * o.padding.w - o.dilation.w * (w[3] - 1);
  require<ShapeError>(h >= 1 && width >= 1, "conv2d: the kernel [", w[2], ", ", w[3], "] with dilation ",
                      o.dilation, " is larger than the input ", x, " with padding ", o.padding);
  return {x[0], w[0], output_size(x[2], w[2], o.stride.h, o.padding.h, o.dilation.h),
          output_size(x[3], w[3], o.stride.w, o.padding.w, o.dilation.w)};
}

void check_dtypes(const Tensor& a, const Tensor& b) {
  require<DTypeError>(is_floating_point(a.dtype()) && a.dtype() == b.dtype(),
                      "conv2d: needs tensors of one floating point dtype, got ", a.dtype(), " and ",
                      b.dtype());
}

Array channels_last_result(const Shape& shape, DType dtype) {
  return Array::empty(shape, dtype, channels_last_strides(shape));
}

}  // namespace

Tensor conv2d(const Tensor& x, const Tensor& weight, const Tensor& bias, const Conv2dOptions& options) {
  if (detail::Casts to("conv2d", {x, weight, bias}); to) {
    return conv2d(to(x), to(weight), to(bias), options);
  }
  if (x.dim() == 3) return conv2d(x.unsqueeze(0), weight, bias, options).squeeze(0);
  require<ShapeError>(x.dim() == 4, "conv2d: the input must be [N, C, H, W] or [C, H, W], got ", x.shape());
  check_dtypes(x, weight);
  Shape shape = output_shape(x.shape(), weight.shape(), options);
  if (bias.defined()) {
    check_dtypes(x, bias);
    require<ShapeError>(bias.shape() == Shape{shape[1]}, "conv2d: the bias must be [", shape[1], "], got ",
                        bias.shape());
  }
  Array y = channels_last_result(shape, x.dtype()), in = kernels::channels_last(x.array());
  kernels::conv2d_later(y, in, weight.array(), bias.defined() ? &bias.array() : nullptr, geometry(options));
  return record("conv2d", {x, weight, bias}, y,
                {{"stride", Shape{options.stride.h, options.stride.w}},
                 {"padding", Shape{options.padding.h, options.padding.w}},
                 {"dilation", Shape{options.dilation.h, options.dilation.w}},
                 {"groups", options.groups}},
                [x = saved(x), in, weight = saved(weight), options, to_x = x.requires_grad(),
                 to_weight = weight.requires_grad(),
                 to_bias = bias.defined() && bias.requires_grad()](const Tensor& g) {
                  // First: a ReLU's gradient that was put off gives the sums of its channels on the way.
                  Tensor g_bias = to_bias ? g.sum({0, 2, 3}) : Tensor();
                  const Tensor& input = x;  // throws where it was written since; `in` is its values
                  return grads(to_x ? conv2d_input(input.shape(), weight, g, options) : Tensor(),
                               to_weight ? conv2d_weight(grad_enabled() ? input : Tensor(in), weight->shape(),
                                                         g, options)
                                         : Tensor(),
                               g_bias);
                });
}

Tensor conv2d_input(const Shape& input, const Tensor& weight, const Tensor& g, const Conv2dOptions& options) {
  require<ShapeError>(input.rank() == 4, "conv2d_input: the input must be [N, C, H, W], got ", input);
  check_dtypes(weight, g);
  Shape shape = output_shape(input, weight.shape(), options);
  require<ShapeError>(g.shape() == shape, "conv2d_input: the gradient must be ", shape, ", got ", g.shape());
  Array gx = channels_last_result(input, g.dtype());
  kernels::conv2d_input(gx, weight.array(), g.array(), geometry(options));
  return record("conv2d_input", {weight, g}, gx, {},
                [weight = saved(weight), g = saved(g), options, to_weight = weight.requires_grad(),
                 to_g = g.requires_grad()](const Tensor& v) {
                  return grads(to_weight ? conv2d_weight(v, weight->shape(), g, options) : Tensor(),
                               to_g ? conv2d(v, weight, {}, options) : Tensor());
                });
}

Tensor conv2d_weight(const Tensor& x, const Shape& weight, const Tensor& g, const Conv2dOptions& options) {
  require<ShapeError>(x.dim() == 4, "conv2d_weight: the input must be [N, C, H, W], got ", x.shape());
  check_dtypes(x, g);
  Shape shape = output_shape(x.shape(), weight, options);
  require<ShapeError>(g.shape() == shape, "conv2d_weight: the gradient must be ", shape, ", got ", g.shape());
  Array gw = Array::empty(weight, g.dtype());
  kernels::conv2d_weight(gw, x.array(), g.array(), geometry(options));
  return record("conv2d_weight", {x, g}, gw, {},
                [x = saved(x), g = saved(g), options, to_x = x.requires_grad(),
                 to_g = g.requires_grad()](const Tensor& v) {
                  return grads(to_x ? conv2d_input(x->shape(), v, g, options) : Tensor(),
                               to_g ? conv2d(x, v, {}, options) : Tensor());
                });
}

void set_winograd(bool on) { kernels::set_winograd(on); }
bool winograd() { return kernels::winograd(); }

}  // namespace espalier
