#include <espalier/autograd/record.h>
#include <espalier/kernels/index.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/index.h>
#include <espalier/ops/positions.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace detail {

Array checked_positions(const char* op, const Tensor& index, int dim, int64_t n, Below below) {
  require<DTypeError>(index.dtype() == DType::int64 || index.dtype() == DType::int32, op,
                      ": positions are int64 tensors, got ", index.dtype());
  Array p = Array::empty(index.shape(), DType::int64);
  if (nothing_to_do(p)) return p;
  kernels::copy(p, index.array());
  auto* at = p.data<int64_t>();
  int64_t least = below == Below::from_end ? -n : 0;
  for (int64_t i = 0, count = p.numel(); i < count; ++i) {
    require<IndexError>(least <= at[i] && at[i] < n, op, ": index ", at[i], " at position ", i,
                        " of the index tensor is outside dimension ", dim, " of size ", n);
    if (at[i] < 0) at[i] += n;
  }
  return p;
}

Array zeros_array(const Shape& shape, DType dtype) {
  Array y = Array::empty(shape, dtype);
  kernels::fill(y, 0);
  return y;
}

}  // namespace detail

using detail::checked_positions;
using detail::zeros_array;

namespace {

// A scalar as a vector of one element; others as they are.
Array at_least_1d(const Array& a) { return a.rank() > 0 ? a : a.view({1}, {1}, a.offset); }

Array moved_to_front(const Array& a, int dim) {
  Array out = a;
  out.shape.erase(dim);
  out.shape.insert(0, a.shape[dim]);
  out.strides.erase(dim);
  out.strides.insert(0, a.strides[dim]);
  return out;
}

Array copy_of(const Array& x) {
  Array y = Array::empty_like(x);
  kernels::copy(y, x);
  return y;
}

Tensor index_add(const Tensor& g, const Array& positions, int dim, const Shape& shape);

Tensor selected(const Tensor& x, const Array& positions, int dim) {
  Shape shape = x.shape();
  if (!shape.empty()) shape[dim] = positions.numel();
  Array y = Array::empty(shape, x.dtype());
  Array to = moved_to_front(at_least_1d(y), dim);
  kernels::take(to, moved_to_front(at_least_1d(x.array()), dim), {&positions, 1});
  return record("index_select", {x, Tensor(positions)}, y, {{"dim", dim}},
                [positions, dim, shape = x.shape()](const Tensor& g) {
                  return grads(index_add(g, positions, dim, shape));
                });
}

// Zeros of `shape` with the slices of g added at the positions.
Tensor index_add(const Tensor& g, const Array& positions, int dim, const Shape& shape) {
  Array y = zeros_array(shape, g.dtype());
  Array to = moved_to_front(at_least_1d(y), dim);
  kernels::put(to, moved_to_front(at_least_1d(g.array()), dim), {&positions, 1}, true);
  return record("index_add", {g, Tensor(positions)}, y, {{"dim", dim}},
                [positions, dim](const Tensor& gg) { return grads(selected(gg, positions, dim)); });
}

void check_rank(const char* op, const Tensor& x, const Tensor& index) {
  require<ShapeError>(x.dim() == index.dim(), op, ": the index ", index.shape(),
                      " must have as many dimensions as the tensor ", x.shape());
}

// That `small` is no larger than `large`, in dimensions other than `dim`.
void check_inside(const char* op, const char* what, const Shape& small, const Shape& large, int dim) {
  bool fits = small.rank() == large.rank();
  for (int d = 0; d < small.rank() && fits; ++d) fits = d == dim || small[d] <= large[d];
  require<ShapeError>(fits, op, ": the index ", small, " is larger than ", what, " ", large);
}

Tensor gathered(const Tensor& x, const Tensor& index, int dim);

Tensor scattered(const char* op, const Tensor& x, const Tensor& source, const Tensor& index, int dim,
                 bool add) {
  Array y = copy_of(x.array()), to = at_least_1d(y);
  kernels::scatter(to, at_least_1d(source.array()), at_least_1d(index.array()), dim, add);
  bool whole = source.shape() == index.shape();
  return record(op, {x, index, source}, y, {{"dim", dim}}, [=, shape = source.shape()](const Tensor& g) {
    Tensor to_source = gathered(g, index, dim);
    if (!whole) {  // what lies outside of the index was not used
      for (int d = 0; d < shape.rank(); ++d) {
        Shape wide = to_source.shape();
        wide[d] = shape[d];
        to_source = slice_scatter(zeros(wide, {.dtype = g.dtype()}), to_source, d, 0, to_source.size(d));
      }
    }
    if (add) return grads(g, Tensor(), to_source);
    Tensor nothing = zeros(index.shape(), {.dtype = g.dtype()});
    return grads(scattered("scatter", g, nothing, index, dim, false), Tensor(), to_source);
  });
}

Tensor gathered(const Tensor& x, const Tensor& index, int dim) {
  Array y = Array::empty(index.shape(), x.dtype()), to = at_least_1d(y);
  kernels::gather(to, at_least_1d(x.array()), at_least_1d(index.array()), dim);
  return record("gather", {x, index}, y, {{"dim", dim}}, [index, dim, shape = x.shape()](const Tensor& g) {
    return grads(scattered("scatter_add", zeros(shape, {.dtype = g.dtype()}), g, index, dim, true));
  });
}

Tensor scatter_of(const char* op, const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source,
                  bool add) {
  int d = wrap_dim(op, dim, x.dim());
  check_rank(op, x, index);
  check_inside(op, "the source", index.shape(), source.shape(), -1);
  check_inside(op, "the tensor", index.shape(), x.shape(), d);
  require<DTypeError>(x.dtype() == source.dtype(), op, ": the source is ", source.dtype(), ", the tensor ",
                      x.dtype());
  int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  return scattered(op, x, source, Tensor(checked_positions(op, index, d, n)), d, add);
}

}  // namespace

Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index) {
  int d = wrap_dim("index_select", dim, x.dim());
  require<ShapeError>(index.dim() <= 1, "index_select: the index must be a vector, got ", index.shape());
  int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  Array positions = at_least_1d(checked_positions("index_select", index, d, n));
  require<ShapeError>(x.dim() > 0 || positions.numel() == 1, "index_select: a scalar has one element, got ",
                      positions.numel(), " positions");
  return selected(x, positions, d);
}
Tensor Tensor::index_select(int64_t dim, const Tensor& index) const {
  return espalier::index_select(*this, dim, index);
}

Tensor gather(const Tensor& x, int64_t dim, const Tensor& index) {
  int d = wrap_dim("gather", dim, x.dim());
  check_rank("gather", x, index);
  check_inside("gather", "the tensor", index.shape(), x.shape(), d);
  int64_t n = x.dim() == 0 ? 1 : x.shape()[d];
  return gathered(x, Tensor(checked_positions("gather", index, d, n)), d);
}
Tensor Tensor::gather(int64_t dim, const Tensor& index) const { return espalier::gather(*this, dim, index); }

Tensor take_along_dim(const Tensor& x, const Tensor& index, int64_t dim) {
  int d = wrap_dim("take_along_dim", dim, x.dim());
  check_rank("take_along_dim", x, index);
  Shape to = x.shape(), from = to;
  if (!to.empty()) to[d] = index.shape()[d], from[d] = 1;
  Shape wide = broadcast_shapes("take_along_dim", from, index.shape());
  if (!to.empty()) from = wide, from[d] = x.shape()[d];
  return gather(x.expand(from), d, index.expand(wide));
}

Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_of("scatter", x, dim, index, source, false);
}
Tensor Tensor::scatter(int64_t dim, const Tensor& index, const Tensor& source) const {
  return espalier::scatter(*this, dim, index, source);
}
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source) {
  return scatter_of("scatter_add", x, dim, index, source, true);
}
Tensor Tensor::scatter_add(int64_t dim, const Tensor& index, const Tensor& source) const {
  return espalier::scatter_add(*this, dim, index, source);
}

}  // namespace espalier
