#pragma once

#include <espalier/kernels/conv.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::kernels {

// A bfloat16 convolution as one product of matrices for all images. `columns` has a row for each place of the
// result, [images, OH, OW], and in it for each tap [KH, KW] the channels under it, zeros outside the image.
struct ColumnsJob {
  int64_t images, channels, h, w, out_h, out_w, taps_h, taps_w;
  ConvGeometry geometry;
  const uint16_t* from;  // x [images, h, w, channels] or columns
  uint16_t* to;          // the other
};
inline constinit Kernel<void(const ColumnsJob&)> gather_columns;
// Each element of x is the sum of those of the columns that it went to.
inline constinit Kernel<void(const ColumnsJob&)> sum_columns;

// Weights [O, C, KH, KW] as [O, KH, KW, C] in that order, a matrix of O rows.
Array tap_rows(const Array& w, bool at_once = false);

// As conv2d_onednn and its adjoints: false, with nothing done, where that is expected to be faster. oneDNN's
// own convolutions, its gradients above all, are slow where images are small and channels many.
bool conv2d_by_columns(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& c,
                       bool relu);
bool conv2d_input_by_columns(Array& gx, const Array& w, const Array& g, const ConvGeometry& c);
bool conv2d_weight_by_columns(Array& gw, const Array& x, const Array& g, const ConvGeometry& c);

}  // namespace espalier::kernels
