#pragma once

#include <espalier/core/array.h>
#include <espalier/core/pair.h>

namespace espalier::kernels {

struct ConvGeometry {
  Pair stride = 1, padding = 0, dilation = 1;
  int64_t groups = 1;
};

// Convolution of x [N, C, H, W] with w [O, C / groups, KH, KW], and its adjoints in x and in w. Floating
// point, one dtype. Inputs may have any strides (channels-last ones are not copied); y and gx are
// channels-last, gw is row-major. With `relu`, y is max(0, convolution + bias), where a NaN stays one.
void conv2d(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
            bool relu = false);
// The same without `relu`, put off where that may be: a ReLU that follows is then part of it.
void conv2d_later(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry);
void conv2d_input(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry);
void conv2d_weight(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry);

// The same by oneDNN, for float32 and bfloat16 and channels-last x, g, y and gx. False, with nothing done,
// where oneDNN has nothing fast for it.
bool conv2d_onednn(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
                   bool relu = false);
bool conv2d_input_onednn(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry);
bool conv2d_weight_onednn(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry);

// The same on AMX (kernels/bf16x3.h), for float32 and channels-last x, g, y and gx. False, with nothing of
// use done, where that is impossible or expected to be slower.
bool conv2d_bf16x3(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
                   bool relu);
bool conv2d_input_bf16x3(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry);
bool conv2d_weight_bf16x3(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry);
// Whether it is the faster one for a result of shape y, where both apply: Winograd has four times the
// weights.
bool bf16x3_beats_winograd(const Shape& y);

// The same as a product of matrices, for float32 and float64; w is row-major.
void conv2d_by_gemm(Array& y, const Array& x, const Array& w, const Array* bias,
                    const ConvGeometry& geometry);
void conv2d_input_by_gemm(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry);
void conv2d_weight_by_gemm(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry);

}  // namespace espalier::kernels
