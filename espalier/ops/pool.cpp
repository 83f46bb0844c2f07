#include <espalier/ops/pool.h>

#include <memory>

#include <espalier/autograd/record.h>
#include <espalier/kernels/pool.h>
#include <espalier/ops/floating.h>

namespace espalier {
namespace {

using kernels::PoolAxis;
using kernels::Pooling;

// One side's settings.
struct Side {
  int64_t kernel, stride, padding, dilation = 1;
};

void check_side(const char* op, const Side& s) {
  constexpr int64_t kMost = int64_t{1} << 30;
  require<ValueError>(s.kernel >= 1 && s.kernel <= kMost, op, ": the kernel size must be at least 1, got ",
                      s.kernel);
  require<ValueError>(s.stride >= 0 && s.stride <= kMost, op, ": the stride can't be negative, got ",
                      s.stride);
  require<ValueError>(s.dilation >= 1 && s.dilation <= kMost, op, ": the dilation must be at least 1, got ",
                      s.dilation);
  require<ValueError>(s.padding >= 0 && s.padding <= s.kernel / 2, op,
                      ": the padding must be from 0 to half of the ", "kernel size ", s.kernel, ", got ",
                      s.padding);
}

int64_t output_size(const char* op, int64_t in, const Side& s, bool ceil_mode) {
  int64_t room = in + 2 * s.padding - s.dilation * (s.kernel - 1) - 1 + (ceil_mode ? s.stride - 1 : 0);
  require<ShapeError>(room >= 0, op, ": the kernel of size ", s.kernel, " is larger than the input's ", in,
                      " with padding ", s.padding);
  int64_t out = room / s.stride + 1;
  return ceil_mode && (out - 1) * s.stride >= in + s.padding ? out - 1 : out;
}

// The windows along one side. An average counts `padded` windows with their padding.
PoolAxis windows(const char* op, int64_t in, Side s, bool ceil_mode, bool padded) {
  check_side(op, s);
  if (s.stride == 0) s.stride = s.kernel;
  PoolAxis axis{.in = in, .step = s.dilation};
  int64_t out = output_size(op, in, s, ceil_mode);
  axis.windows.reserve(out);
  for (int64_t i = 0; i < out; ++i) {
    int64_t first = i * s.stride - s.padding,
            end = std::min(first + s.dilation * (s.kernel - 1) + 1, in + s.padding);
    int64_t size = end - first, begin = first;
    if (begin < 0) begin += (-begin + s.dilation - 1) / s.dilation * s.dilation;
    end = std::min(end, in);
    axis.windows.push_back(
        {begin, end, static_cast<double>(padded ? size : std::max<int64_t>(end - begin, 1))});
  }
  return axis;
}

PoolAxis adaptive_windows(int64_t in, int64_t out) {
  PoolAxis axis{.in = in};
  axis.windows.reserve(out);
  for (int64_t i = 0; i < out; ++i) {
    int64_t begin = i * in / out, end = ((i + 1) * in + out - 1) / out;
    axis.windows.push_back({begin, end, static_cast<double>(end - begin)});
  }
  return axis;
}

void check_input(const char* op, const Tensor& x) {
  require<ShapeError>(x.dim() == 4, op, ": the input must be [N, C, H, W] or [C, H, W], got ", x.shape());
  detail::check_floating(op, x);
  require<ShapeError>(x.size(2) > 0 && x.size(3) > 0 && x.size(2) * x.size(3) <= INT32_MAX, op,
                      ": the images of ", x.shape(), " are empty or too large");
}

bool in_channels_last(const Tensor& x) { return x.array().is_channels_last() || !x.is_contiguous(); }

Shape shape_in(const Shape& y, const Pooling& p) { return {y[0], y[1], p.h.in, p.w.in}; }
Shape shape_out(const Shape& x, const Pooling& p) {
  return {x[0], x[1], static_cast<int64_t>(p.h.windows.size()), static_cast<int64_t>(p.w.windows.size())};
}
Array empty(const Shape& shape, DType dtype, const Pooling& p) {
  return Array::empty(shape, dtype,
                      p.channels_last ? channels_last_strides(shape) : contiguous_strides(shape));
}

using Plan = std::shared_ptr<const Pooling>;
Shape pair(const Pair& p) { return {p.h, p.w}; }

Tensor max_pool2d_gather(const Tensor& x, const Array& at, const Plan& p);

// The adjoint of max_pool2d_gather: g goes where `at` says.
Tensor max_pool2d_scatter(const Tensor& g, const Array& at, const Plan& p) {
  Array gx = empty(shape_in(g.shape(), *p), g.dtype(), *p);
  kernels::max_pool2d_scatter(gx, g.array(), at, *p);
  return record("max_pool2d_scatter", {g}, gx, {},
                [at, p](const Tensor& v) { return grads(max_pool2d_gather(v, at, p)); });
}

Tensor max_pool2d_gather(const Tensor& x, const Array& at, const Plan& p) {
  Array y = empty(shape_out(x.shape(), *p), x.dtype(), *p);
  kernels::max_pool2d_gather(y, x.array(), at, *p);
  return record("max_pool2d_gather", {x}, y, {},
                [at, p](const Tensor& g) { return grads(max_pool2d_scatter(g, at, p)); });
}

Tensor average(const char* op, const Tensor& x, const Plan& p, Attrs attrs);

Tensor average_input(const char* op, const Tensor& g, const Plan& p) {
  Array gx = empty(shape_in(g.shape(), *p), g.dtype(), *p);
  kernels::avg_pool2d_input(gx, g.array(), *p);
  return record("avg_pool2d_input", {g}, gx, {},
                [op, p](const Tensor& v) { return grads(average(op, v, p, {})); });
}

Tensor average(const char* op, const Tensor& x, const Plan& p, Attrs attrs) {
  Array y = empty(shape_out(x.shape(), *p), x.dtype(), *p);
  kernels::avg_pool2d(y, x.array(), *p);
  return record(op, {x}, y, attrs, [op, p](const Tensor& g) { return grads(average_input(op, g, p)); });
}

}  // namespace

Tensor max_pool2d(const Tensor& x, Pair kernel_size, const MaxPool2dOptions& o) {
  if (x.dim() == 3) return max_pool2d(x.unsqueeze(0), kernel_size, o).squeeze(0);
  check_input("max_pool2d", x);
  Side h{kernel_size.h, o.stride.h, o.padding.h, o.dilation.h},
      w{kernel_size.w, o.stride.w, o.padding.w, o.dilation.w};
  auto p = std::make_shared<const Pooling>(Pooling{in_channels_last(x),
                                                   windows("max_pool2d", x.size(2), h, o.ceil_mode, false),
                                                   windows("max_pool2d", x.size(3), w, o.ceil_mode, false)});
  Array y = empty(shape_out(x.shape(), *p), x.dtype(), *p), at;
  bool taped = detail::on_tape({x});
  if (taped) at = empty(y.shape, DType::int32, *p);
  kernels::max_pool2d(y, taped ? &at : nullptr, x.array(), *p);
  return record("max_pool2d", {x}, y,
                {{"kernel_size", pair(kernel_size)},
                 {"stride", pair(o.stride)},
                 {"padding", pair(o.padding)},
                 {"dilation", pair(o.dilation)},
                 {"ceil_mode", o.ceil_mode}},
                [at, p](const Tensor& g) { return grads(max_pool2d_scatter(g, at, p)); });
}

Tensor avg_pool2d(const Tensor& x, Pair kernel_size, const AvgPool2dOptions& o) {
  if (x.dim() == 3) return avg_pool2d(x.unsqueeze(0), kernel_size, o).squeeze(0);
  check_input("avg_pool2d", x);
  Side h{kernel_size.h, o.stride.h, o.padding.h}, w{kernel_size.w, o.stride.w, o.padding.w};
  Pooling p{in_channels_last(x), windows("avg_pool2d", x.size(2), h, o.ceil_mode, o.count_include_pad),
            windows("avg_pool2d", x.size(3), w, o.ceil_mode, o.count_include_pad)};
  if (o.divisor_override != 0) {
    for (auto& window : p.h.windows) window.size = static_cast<double>(o.divisor_override);
    for (auto& window : p.w.windows) window.size = 1;
  }
  return average("avg_pool2d", x, std::make_shared<const Pooling>(std::move(p)),
                 {{"kernel_size", pair(kernel_size)},
                  {"stride", pair(o.stride)},
                  {"padding", pair(o.padding)},
                  {"ceil_mode", o.ceil_mode},
                  {"count_include_pad", o.count_include_pad},
                  {"divisor_override", o.divisor_override}});
}

Tensor adaptive_avg_pool2d(const Tensor& x, Pair output_size) {
  if (x.dim() == 3) return adaptive_avg_pool2d(x.unsqueeze(0), output_size).squeeze(0);
  check_input("adaptive_avg_pool2d", x);
  require<ValueError>(output_size.h >= 1 && output_size.w >= 1,
                      "adaptive_avg_pool2d: the output size must be at least ", "1, got ", output_size);
  Pooling p{in_channels_last(x), adaptive_windows(x.size(2), output_size.h),
            adaptive_windows(x.size(3), output_size.w)};
  return average("adaptive_avg_pool2d", x, std::make_shared<const Pooling>(std::move(p)),
                 {{"output_size", pair(output_size)}});
}

}  // namespace espalier
