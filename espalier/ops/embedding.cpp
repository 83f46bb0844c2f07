#include <espalier/ops/embedding.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/index.h>
#include <espalier/ops/creation.h>

namespace espalier {
namespace {

// What is looked up: positions in int64 and row-major order, all inside.
struct Lookup {
  Array positions;
  int64_t rows;
  std::optional<int64_t> padding;
};

Array checked_positions(const Tensor& indices, int64_t rows) {
  require<DTypeError>(indices.dtype() == int64 || indices.dtype() == int32,
                      "embedding: indices must be int64 or int32, got ", indices.dtype());
  Array positions = Array::empty(indices.shape(), int64);
  if (nothing_to_do(positions)) return positions;
  kernels::copy(positions, indices.array());
  auto* at = positions.data<int64_t>();
  for (int64_t i = 0, n = positions.numel(); i < n; ++i) {
    if (at[i] >= 0 && at[i] < rows) continue;
    throw IndexError(concat("embedding: index ", at[i], " at position ", unravel(i, indices.shape()),
                            " is outside of the ", rows, " rows 0 to ", rows - 1));
  }
  return positions;
}

std::optional<int64_t> checked_padding(std::optional<int64_t> padding, int64_t rows) {
  if (!padding) return padding;
  require<IndexError>(-rows <= *padding && *padding < rows, "embedding: padding_idx ", *padding,
                      " is outside of the ", rows, " rows");
  return *padding < 0 ? *padding + rows : *padding;
}

// `positions` and the arrays with their shape and one dimension more, with one dimension in place of the
// shape.
Array flat(const Array& a, int from_end) {
  Shape shape{1};
  for (int d = 0; d < a.rank(); ++d) {
    if (d < a.rank() - from_end) shape[0] *= a.shape[d];
    else shape.push_back(a.shape[d]);
  }
  return a.view(shape, contiguous_strides(shape), a.offset);
}

Tensor rows_added(const Tensor& g, const Lookup& at);

Tensor rows_taken(const Tensor& indices, const Tensor& weight, const Lookup& at) {
  Shape shape = at.positions.shape;
  shape.push_back(weight.size(1));
  Array y = Array::empty(shape, weight.dtype()), rows = flat(y, 1), positions = flat(at.positions, 0);
  kernels::take(rows, weight.array(), {&positions, 1});
  return record("embedding", {indices, weight}, y, {{"padding_idx", at.padding.value_or(-1)}},
                [at](const Tensor& g) { return grads(Tensor(), rows_added(g, at)); });
}

// The gradient of the weight: zeros with the rows of g added at their positions, other than that of the
// padding.
Tensor rows_added(const Tensor& g, const Lookup& at) {
  if (g.dtype() == bfloat16) return rows_added(g.to(float32), at);
  if (!g.is_contiguous()) return rows_added(g.contiguous(), at);
  Shape shape{at.rows, g.size(-1)};
  Array gw = Array::empty(shape, g.dtype()), positions = flat(at.positions, 0);
  kernels::fill(gw, 0);
  kernels::put(gw, flat(g.array(), 1), {&positions, 1}, true);
  if (at.padding) {
    Array padding = gw.view({shape[1]}, {1}, *at.padding * shape[1]);
    kernels::fill(padding, 0);
  }
  return record("embedding_backward", {g}, gw, {}, [at](const Tensor& v) {
    Tensor kept = v;
    if (at.padding) {
      Tensor factor = ones({at.rows, 1}, {.dtype = v.dtype()});
      factor.select(0, *at.padding).zero_();
      kept = v * factor;
    }
    return grads(rows_taken(Tensor(at.positions), kept, {at.positions, at.rows, std::nullopt}));
  });
}

}  // namespace

Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& options) {
  require<ShapeError>(weight.dim() == 2, "embedding: the weight must be [rows, size], got ", weight.shape());
  int64_t rows = weight.size(0);
  auto padding = checked_padding(options.padding_idx, rows);
  return rows_taken(indices, weight, {checked_positions(indices, rows), rows, padding});
}

}  // namespace espalier
