#include <espalier/kernels/winograd.h>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/row_major.h>

#include <atomic>

namespace espalier::kernels {
namespace {

std::atomic<bool> enabled{true};

WinogradJob::Side side(const Array& x) { return {x.shape[2], x.shape[3], x.shape[1]}; }

void convolve(WinogradJob job, const Array& w) {
  Array taps = row_major(w), transformed;
  job.weight = taps.data<float>();
  int64_t size = 0;
  winograd_transformed_size(job, size);
  if (size > 0) {
    transformed = packed(w, job.turned ? kPackedWinogradTurned : kPackedWinograd, [&] {
      Array u = Array::empty({size}, DType::float32);
      winograd_transform(job, u.data<float>());
      return u;
    });
    job.transformed = transformed.data<float>();
  }
  winograd_conv(job);
}

}  // namespace

void set_winograd(bool on) { enabled.store(on, std::memory_order_relaxed); }
bool winograd() { return enabled.load(std::memory_order_relaxed); }

bool winograd_applies(const Shape& w, DType dtype, const ConvGeometry& c) {
  return dtype == DType::float32 && w[2] == 3 && w[3] == 3 && c.stride == Pair(1) && c.dilation == Pair(1) &&
         c.groups == 1 && c.padding.h <= 2 && c.padding.w <= 2;
}

// At most half as many products as the direct algorithm, counting those of channels that only fill vectors
// and places outside the result; enough tiles to be worth transforming the weights.
bool winograd_pays(const Shape& w, const Shape& y) {
  auto filled = [](int64_t channels) { return (channels + 15) / 16 * 16; };
  int64_t tiles = (y[2] + 3) / 4 * ((y[3] + 3) / 4);
  int64_t products = 36 * tiles * filled(w[0]) * filled(w[1]), direct = 9 * y[2] * y[3] * w[0] * w[1];
  int64_t enough =
      w[0] * w[1] <= 128 * 128 ? 16 : 32;  // few weights, once transformed, stay in the second cache
  return w[0] >= 16 && w[1] >= 16 && 2 * products <= direct && y[0] * tiles >= enough;
}

void conv2d_winograd(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& c,
                     bool relu) {
  Array row = bias ? row_major(*bias) : Array();
  convolve({.images = x.shape[0],
            .in = side(x),
            .out = side(y),
            .padding_h = c.padding.h,
            .padding_w = c.padding.w,
            .x = x.data<float>(),
            .bias = bias ? row.data<float>() : nullptr,
            .y = y.data<float>(),
            .weight = nullptr,
            .in_step = 9,
            .out_step = 9 * w.shape[1],
            .turned = false,
            .relu = relu},
           w);
}

// The gradient is a convolution of g with the taps in reverse order.
void conv2d_input_winograd(Array& gx, const Array& w, const Array& g, const ConvGeometry& c) {
  convolve({.images = g.shape[0],
            .in = side(g),
            .out = side(gx),
            .padding_h = 2 - c.padding.h,
            .padding_w = 2 - c.padding.w,
            .x = g.data<float>(),
            .bias = nullptr,
            .y = gx.data<float>(),
            .weight = nullptr,
            .in_step = 9 * w.shape[1],
            .out_step = 9,
            .turned = true},
           w);
}

void conv2d_weight_winograd(Array& gw, const Array& x, const Array& g, const ConvGeometry& c) {
  winograd_weight({.images = x.shape[0],
                   .in = side(x),
                   .out = side(g),
                   .padding_h = c.padding.h,
                   .padding_w = c.padding.w,
                   .x = x.data<float>(),
                   .bias = nullptr,
                   .y = g.data<float>(),
                   .weight = gw.data<float>(),
                   .in_step = 9,
                   .out_step = 9 * x.shape[1],
                   .turned = false});
}

}  // namespace espalier::kernels
