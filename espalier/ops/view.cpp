#include <espalier/ops/view.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/flattened.h>
#include <espalier/kernels/row_major.h>

namespace espalier {
namespace {

// `to` with its -1 worked out for n elements.
Shape whole_shape(const char* op, const Shape& from, const Shape& to) {
  int64_t known = 1;
  int open = -1;
  for (int i = 0; i < to.rank(); ++i) {
    require<ShapeError>(to[i] >= -1, op, ": size ", to[i], " in ", to, " is negative");
    require<ShapeError>(to[i] != -1 || open < 0, op, ": only one size may be -1, got ", to);
    if (to[i] == -1) open = i;
    else known = checked_mul(known, to[i], "the number of elements");
  }
  int64_t n = from.numel();
  Shape shape = to;
  if (open >= 0) {
    require<ShapeError>(known > 0 && n % known == 0, op, ": ", from, " has ", n, " elements, which ", to,
                        " can't divide evenly");
    shape[open] = n / known;
  }
  require<ShapeError>(shape.numel() == n, op, ": ", from, " has ", n, " elements, ", to, " has ",
                      shape.numel());
  return shape;
}

// The strides under which the elements of x appear in `shape`, if there are such. Both are split in groups of
// dimensions with the same number of elements; each group of x must lie without gaps.
std::optional<Strides> strides_for(const Array& x, const Shape& shape) {
  if (x.numel() == 0) return contiguous_strides(shape);
  Strides strides = shape;
  int to = shape.rank() - 1;
  int64_t in_group = 1, taken = 1, step = 1;
  for (int from = x.rank() - 1; from >= 0; --from) {
    if (in_group == 1) step = x.strides[from];
    in_group *= x.shape[from];
    bool goes_on = from > 0 && (x.shape[from - 1] == 1 || x.strides[from - 1] == in_group * step);
    if (goes_on) continue;
    while (to >= 0 && (taken < in_group || shape[to] == 1)) {
      strides[to] = taken * step;
      taken *= shape[to--];
    }
    if (taken != in_group) return std::nullopt;
    in_group = taken = 1;
  }
  for (; to >= 0; --to) strides[to] = 1;
  return strides;
}

// g under the shape of a channels-last tensor, in its order.
Tensor to_channels_last(const Tensor& g, const Shape& shape) {
  Array y = Array::empty(shape, g.dtype(), channels_last_strides(shape));
  kernels::unflatten(y, g.array());
  return record("reshape", {g}, y, {{"shape", shape}},
                [from = g.shape()](const Tensor& gg) { return grads(gg.reshape(from)); });
}

// x in row-major order under `shape`; what lies in channels-last order may come later.
Array in_row_major_order(const Array& x, const Shape& shape) {
  if (x.is_channels_last() && shape.rank() == 2 && shape[0] == x.shape[0]) return kernels::flattened(x);
  Array y = kernels::row_major(x);
  return y.view(shape, contiguous_strides(shape), y.offset);
}

Tensor reshaped(const char* op, const Tensor& x, const Shape& shape, Attrs attrs) {
  const Array& source = x.array();
  auto strides = strides_for(source, shape);
  bool back_to_channels_last = !strides && source.is_channels_last();
  Array y = strides ? source.view(shape, *strides, source.offset) : in_row_major_order(source, shape);
  return record(op, {x}, y, attrs, [from = x.shape(), back_to_channels_last](const Tensor& g) {
    return grads(back_to_channels_last ? to_channels_last(g, from) : g.reshape(from));
  });
}

// The elements of x under a shape that differs in sizes of 1 only.
Tensor resized(const char* op, const Tensor& x, const Shape& shape, const Strides& strides, int64_t dim) {
  return record(op, {x}, x.array().view(shape, strides, x.array().offset), {{"dim", dim}},
                [from = x.shape()](const Tensor& g) { return grads(g.reshape(from)); });
}

Tensor permuted(const char* op, const Tensor& x, const Shape& order, Attrs attrs) {
  Shape shape = order, back = order;
  Strides strides = order;
  for (int i = 0; i < order.rank(); ++i) {
    shape[i] = x.shape()[order[i]];
    strides[i] = x.strides()[order[i]];
    back[order[i]] = i;
  }
  return record(op, {x}, x.array().view(shape, strides, x.array().offset), attrs,
                [back](const Tensor& g) { return grads(g.permute(back)); });
}

}  // namespace

Tensor reshape(const Tensor& x, const Shape& shape) {
  Shape to = whole_shape("reshape", x.shape(), shape);
  return reshaped("reshape", x, to, {{"shape", to}});
}
Tensor Tensor::reshape(const Shape& shape) const { return espalier::reshape(*this, shape); }

Tensor Tensor::view(const Shape& wanted) const {
  Shape to = whole_shape("view", shape(), wanted);
  require<ShapeError>(strides_for(array(), to).has_value(), "view: ", shape(), " with strides ", strides(),
                      " can't be seen as ", to, " without a copy; use reshape");
  return reshaped("reshape", *this, to, {{"shape", to}});
}

Tensor flatten(const Tensor& x, int64_t start_dim, int64_t end_dim) {
  int first = wrap_dim("flatten", start_dim, x.dim()), last = wrap_dim("flatten", end_dim, x.dim());
  require<ValueError>(first <= last, "flatten: start_dim ", start_dim, " lies behind end_dim ", end_dim,
                      " in ", x.shape());
  Shape shape;
  for (int d = 0; d < first; ++d) shape.push_back(x.shape()[d]);
  int64_t n = 1;
  for (int d = first; d <= last && d < x.dim(); ++d) n *= x.shape()[d];
  shape.push_back(n);
  for (int d = last + 1; d < x.dim(); ++d) shape.push_back(x.shape()[d]);
  return reshaped("flatten", x, shape, {{"start_dim", first}, {"end_dim", last}});
}
Tensor Tensor::flatten(int64_t start_dim, int64_t end_dim) const {
  return espalier::flatten(*this, start_dim, end_dim);
}

Tensor unflatten(const Tensor& x, int64_t dim, const Shape& sizes) {
  int d = wrap_dim("unflatten", dim, x.dim());
  require<ShapeError>(x.dim() > 0, "unflatten: needs a dimension, got a scalar");
  Shape parts = whole_shape("unflatten", {x.shape()[d]}, sizes), shape;
  for (int i = 0; i < d; ++i) shape.push_back(x.shape()[i]);
  for (int64_t size : parts) shape.push_back(size);
  for (int i = d + 1; i < x.dim(); ++i) shape.push_back(x.shape()[i]);
  return reshaped("reshape", x, shape, {{"shape", shape}});
}
Tensor Tensor::unflatten(int64_t dim, const Shape& sizes) const {
  return espalier::unflatten(*this, dim, sizes);
}

Tensor squeeze(const Tensor& x) {
  Shape shape, strides;
  for (int d = 0; d < x.dim(); ++d) {
    if (x.shape()[d] == 1) continue;
    shape.push_back(x.shape()[d]);
    strides.push_back(x.strides()[d]);
  }
  return record("squeeze", {x}, x.array().view(shape, strides, x.array().offset), {},
                [from = x.shape()](const Tensor& g) { return grads(g.reshape(from)); });
}
Tensor Tensor::squeeze() const { return espalier::squeeze(*this); }

Tensor squeeze(const Tensor& x, int64_t dim) {
  int d = wrap_dim("squeeze", dim, x.dim());
  Shape shape = x.shape(), strides = x.strides();
  if (d < x.dim() && shape[d] == 1) {
    shape.erase(d);
    strides.erase(d);
  }
  return resized("squeeze", x, shape, strides, d);
}
Tensor Tensor::squeeze(int64_t dim) const { return espalier::squeeze(*this, dim); }

Tensor unsqueeze(const Tensor& x, int64_t dim) {
  int d = wrap_dim("unsqueeze", dim, x.dim() + 1);
  Shape shape = x.shape(), strides = x.strides();
  strides.insert(d, d < x.dim() ? strides[d] * std::max<int64_t>(shape[d], 1) : 1);
  shape.insert(d, 1);
  return resized("unsqueeze", x, shape, strides, d);
}
Tensor Tensor::unsqueeze(int64_t dim) const { return espalier::unsqueeze(*this, dim); }

Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1) {
  int a = wrap_dim("transpose", dim0, x.dim()), b = wrap_dim("transpose", dim1, x.dim());
  Shape order;
  for (int d = 0; d < x.dim(); ++d) order.push_back(d == a ? b : d == b ? a : d);
  return permuted("transpose", x, order, {{"dim0", a}, {"dim1", b}});
}
Tensor Tensor::transpose(int64_t dim0, int64_t dim1) const { return espalier::transpose(*this, dim0, dim1); }

Tensor t(const Tensor& x) {
  require<ShapeError>(x.dim() <= 2, "t: needs a matrix, got ", x.shape(), "; use transpose");
  return x.dim() < 2 ? x : transpose(x, 0, 1);
}
Tensor Tensor::t() const { return espalier::t(*this); }

Tensor permute(const Tensor& x, const Dims& dims) {
  require<ShapeError>(dims.rank() == x.dim(), "permute: ", x.shape(), " has ", x.dim(),
                      " dimensions, got the order ", static_cast<const Shape&>(dims));
  Shape order = dims;
  std::array<bool, kMaxRank> seen{};
  for (int64_t& d : order) {
    d = wrap_dim("permute", d, x.dim());
    require<ValueError>(!seen[d], "permute: dimension ", d, " comes twice in ",
                        static_cast<const Shape&>(dims));
    seen[d] = true;
  }
  return permuted("permute", x, order, {{"dims", order}});
}
Tensor Tensor::permute(const Dims& dims) const { return espalier::permute(*this, dims); }

Tensor expand(const Tensor& x, const Shape& shape) {
  Shape to = shape;
  int added = to.rank() - x.dim();
  for (int i = 0; i < to.rank(); ++i) {
    require<ShapeError>(to[i] >= (i < added ? 0 : -1), "expand: size ", to[i], " in ", shape, " for ",
                        x.shape(), " is not possible");
    if (to[i] == -1) to[i] = x.shape()[i - added];
  }
  return record("expand", {x}, x.array().expand("expand", to), {{"shape", to}},
                [](const Tensor& g) { return grads(g); });
}
Tensor Tensor::expand(const Shape& shape) const { return espalier::expand(*this, shape); }

}  // namespace espalier
