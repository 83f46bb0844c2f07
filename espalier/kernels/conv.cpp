#include <espalier/kernels/conv.h>

#include <espalier/kernels/channels_last.h>
#include <espalier/kernels/columns.h>
#include <espalier/kernels/converted.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/row_major.h>
#include <espalier/kernels/winograd.h>

namespace espalier::kernels {
namespace {

// Runs f(out, a, b, bias) in float32 and rounds its result to out.
template <class F>
void in_float(Array& out, const Array& a, const Array& b, const Array* bias, F&& f) {
  Array y = Array::empty_like(out, DType::float32);
  Array float_bias = bias ? converted(*bias, DType::float32) : Array();
  f(y, converted(a, DType::float32), converted(b, DType::float32), bias ? &float_bias : nullptr);
  copy(out, y);
}

bool chooses_winograd(const Shape& w, const Shape& y, DType dtype, const ConvGeometry& geometry) {
  return winograd() && winograd_applies(w, dtype, geometry) && winograd_pays(w, y);
}

void apply_relu(Array& y, bool relu) {
  if (relu) elementwise(relu_row, compute_type(y.dtype), y, {y});
}

Array squared_norm(const Array& x) {
  Array sum = Array::empty(Shape::filled(x.rank(), 1), x.dtype);
  sum_of_squares(sum, x, nullptr, 1, false);
  return sum;
}

bool is_far_from_overflow(const Array& square) {
  constexpr double kFar = 1e30;
  return visit_floating(
      square.dtype, [&]<class T>(T) { return static_cast<double>(Compute<T>(*square.data<T>())) < kFar; });
}

// oneDNN's ReLU makes NaN 0. No sum exceeds the product of the norms (Cauchy and Schwarz), so there is no NaN
// where those are far from overflow.
bool gives_no_nan(const Array& x, const Array& w, const Array* bias) {
  Array square = packed(w, kPackedSquare, [&] { return squared_norm(w); });
  return is_far_from_overflow(square) && is_far_from_overflow(squared_norm(x)) &&
         (!bias || is_far_from_overflow(squared_norm(*bias)));
}

// The result where there is nothing to sum.
void fill_with_bias(Array& y, const Array* bias, bool relu) {
  if (!bias) return fill(y, 0);
  copy(y, bias->view({y.shape[1], 1, 1}, {bias->strides[0], 0, 0}, bias->offset));
  apply_relu(y, relu);
}

}  // namespace

void conv2d(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry,
            bool relu) {
  if (nothing_to_do(y)) return;
  if (x.numel() == 0 || w.numel() == 0) return fill_with_bias(y, bias, relu);
  if (y.dtype != DType::float64) {
    Array in = channels_last(x);
    bool few = bf16x3_beats_winograd(y.shape);
    if (few && conv2d_bf16x3(y, in, w, bias, geometry, relu)) return;
    if (chooses_winograd(w.shape, y.shape, y.dtype, geometry)) {
      return conv2d_winograd(y, in, w, bias, geometry, relu);
    }
    if (!few && conv2d_bf16x3(y, in, w, bias, geometry, relu)) return;
    bool fused = relu && gives_no_nan(in, w, bias);
    if (conv2d_by_columns(y, in, w, bias, geometry, fused) ||
        conv2d_onednn(y, in, w, bias, geometry, fused)) {
      return apply_relu(y, relu && !fused);
    }
  }
  if (y.dtype != DType::bfloat16) {
    conv2d_by_gemm(y, x, row_major(w), bias, geometry);
    return apply_relu(y, relu);
  }
  in_float(y, x, w, bias, [&](Array& out, const Array& a, const Array& b, const Array* c) {
    conv2d(out, a, b, c, geometry, relu);
  });
}

void conv2d_input(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry) {
  if (nothing_to_do(gx)) return;
  if (g.numel() == 0 || w.numel() == 0) return fill(gx, 0);
  Array grad = channels_last(g);
  if (gx.dtype == DType::float64) return conv2d_input_by_gemm(gx, row_major(w), grad, geometry);
  if (chooses_winograd(w.shape, gx.shape, gx.dtype, geometry)) {
    return conv2d_input_winograd(gx, w, grad, geometry);
  }
  if (conv2d_input_bf16x3(gx, w, grad, geometry)) return;
  if (conv2d_input_by_columns(gx, w, grad, geometry)) return;
  if (conv2d_input_onednn(gx, w, grad, geometry)) return;
  if (gx.dtype == DType::float32) return conv2d_input_by_gemm(gx, row_major(w), grad, geometry);
  in_float(gx, w, grad, nullptr, [&](Array& out, const Array& a, const Array& b, const Array*) {
    conv2d_input(out, a, b, geometry);
  });
}

void conv2d_weight(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry) {
  if (nothing_to_do(gw)) return;
  if (g.numel() == 0 || x.numel() == 0) return fill(gw, 0);
  Array grad = channels_last(g);
  if (gw.dtype == DType::float64) return conv2d_weight_by_gemm(gw, x, grad, geometry);
  Array in = channels_last(x);
  if (chooses_winograd(gw.shape, g.shape, gw.dtype, geometry)) {
    return conv2d_weight_winograd(gw, in, grad, geometry);
  }
  if (conv2d_weight_bf16x3(gw, in, grad, geometry)) return;
  if (conv2d_weight_by_columns(gw, in, grad, geometry)) return;
  if (conv2d_weight_onednn(gw, in, grad, geometry)) return;
  if (gw.dtype == DType::float32) return conv2d_weight_by_gemm(gw, x, grad, geometry);
  in_float(gw, x, grad, nullptr, [&](Array& out, const Array& a, const Array& b, const Array*) {
    conv2d_weight(out, a, b, geometry);
  });
}

}  // namespace espalier::kernels
