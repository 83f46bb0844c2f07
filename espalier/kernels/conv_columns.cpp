#include <espalier/kernels/columns.h>

#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/matmul.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/transposed.h>

namespace espalier::kernels {
namespace {

ColumnsJob job(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
  return {.images = x.shape[0],
          .channels = x.shape[1],
          .h = x.shape[2],
          .w = x.shape[3],
          .out_h = y.shape[2],
          .out_w = y.shape[3],
          .taps_h = w.shape[2],
          .taps_w = w.shape[3],
          .geometry = c,
          .from = nullptr,
          .to = nullptr};
}

// Up to how many places a filter, as measured with AMX: there, writing and reading the columns costs less
// than oneDNN loses.
int64_t most_places(const Shape& w, const ConvGeometry& c, int64_t plain, int64_t strided) {
  if (c.stride == Pair(1)) return plain;
  return w[2] * w[3] == 1 ? 128 : strided;
}

bool pays(const Shape& w, const Shape& y, DType dtype, const ConvGeometry& c, int64_t most) {
  return dtype == DType::bfloat16 && c.groups == 1 && w[2] * w[3] <= 64 && w[1] % 16 == 0 && w[0] >= 64 &&
         y[0] * y[2] * y[3] <= most * w[0];
}

int64_t row_size(const ColumnsJob& j) { return j.taps_h * j.taps_w * j.channels; }
int64_t places(const ColumnsJob& j) { return j.images * j.out_h * j.out_w; }

Array columns_of(ColumnsJob j, const Array& x) {
  Array columns = Array::empty({places(j), row_size(j)}, DType::bfloat16);
  j.from = x.data<uint16_t>(), j.to = columns.data<uint16_t>();
  gather_columns(j);
  return columns;
}

// [N, C, H, W] in channels-last order as the matrix [N * H * W, C].
Array as_matrix(const Array& y) {
  int64_t rows = y.shape[0] * y.shape[2] * y.shape[3], cols = y.shape[1];
  return y.view({rows, cols}, {cols, 1}, y.offset);
}

}  // namespace

Array tap_rows(const Array& w, bool at_once) {
  return packed(
      w, kPackedTapRows,
      [&] {
        Array rows = Array::empty({w.shape[0], w.shape[2], w.shape[3], w.shape[1]}, w.dtype);
        copy(rows, w.view(rows.shape, {w.strides[0], w.strides[2], w.strides[3], w.strides[1]}, w.offset));
        return rows.view({w.shape[0], rows.numel() / w.shape[0]}, {rows.strides[0], 1}, 0);
      },
      at_once);
}

bool conv2d_by_columns(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& c,
                       bool relu_after) {
  if (!pays(w.shape, y.shape, y.dtype, c, 2)) return false;
  Array out = as_matrix(y);
  matmul(out, columns_of(job(x, w, y, c), x), transposed(tap_rows(w)), bias);
  if (relu_after) elementwise(relu_row, compute_type(y.dtype), y, {y});
  return true;
}

bool conv2d_input_by_columns(Array& gx, const Array& w, const Array& g, const ConvGeometry& c) {
  if (!pays(w.shape, g.shape, gx.dtype, c, most_places(w.shape, c, 2, 16))) return false;
  ColumnsJob j = job(gx, w, g, c);
  Array columns = Array::empty({places(j), row_size(j)}, DType::bfloat16);
  matmul(columns, as_matrix(g), tap_rows(w));
  j.from = columns.data<uint16_t>(), j.to = gx.data<uint16_t>();
  sum_columns(j);
  return true;
}

bool conv2d_weight_by_columns(Array& gw, const Array& x, const Array& g, const ConvGeometry& c) {
  if (!pays(gw.shape, g.shape, gw.dtype, c, most_places(gw.shape, c, 8, 16))) return false;
  ColumnsJob j = job(x, gw, g, c);
  Array rows = Array::empty({gw.shape[0], j.taps_h, j.taps_w, j.channels}, gw.dtype);
  Array out = rows.view({gw.shape[0], row_size(j)}, {row_size(j), 1}, 0);
  matmul(out, transposed(as_matrix(g)), columns_of(j, x));
  copy(gw, rows.view(gw.shape, {rows.strides[0], 1, rows.strides[1], rows.strides[2]}, 0));
  return true;
}

}  // namespace espalier::kernels
