#pragma once

#include <espalier/kernels/conv.h>
#include <espalier/kernels/dispatch.h>

// Convolutions by Winograd's algorithm F(4×4, 3×3): a tile of 4×4 places of the result and the 6×6 places of
// the input under it are transformed so that 36 products take the place of 144.
namespace espalier::kernels {

// Whether conv2d and its adjoints choose it where it is faster. On at first.
void set_winograd(bool on);
bool winograd();

// Whether it can do it at all: float32, 3×3, stride 1, dilation 1, one group, padding up to 2.
bool winograd_applies(const Shape& w, DType dtype, const ConvGeometry& geometry);
// Whether it is expected to be faster than the direct algorithm, for a result of shape y.
bool winograd_pays(const Shape& w, const Shape& y);

// As conv2d, conv2d_input and conv2d_weight, where winograd_applies; x, g, y and gx are channels-last.
void conv2d_winograd(Array& y, const Array& x, const Array& w, const Array* bias,
                     const ConvGeometry& geometry, bool relu = false);
void conv2d_input_winograd(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry);
void conv2d_weight_winograd(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry);

// What the vectorised code works on. Images are [images, h, w, channels].
struct WinogradJob {
  struct Side {
    int64_t h, w, channels;
  };
  int64_t images;
  Side in, out;
  int64_t padding_h, padding_w;
  const float* x;
  const float* bias;                   // of each output channel, or null
  float* y;                            // the result, or for winograd_weight its gradient
  float* weight;                       // 9 taps for each pair of channels; winograd_weight writes it
  int64_t in_step, out_step;           // between the taps of one channel and the next
  bool turned;                         // the taps stand in reverse order
  bool relu = false;                   // of y
  const float* transformed = nullptr;  // for winograd_conv: the weights as winograd_transform gives them
};
inline constinit Kernel<void(const WinogradJob&)> winograd_conv, winograd_weight;
inline constinit Kernel<void(const WinogradJob&, float*)> winograd_transform;
// How many numbers that gives; 0 where winograd_conv had better transform the weights as it goes.
inline constinit Kernel<void(const WinogradJob&, int64_t&)> winograd_transformed_size;

}  // namespace espalier::kernels
