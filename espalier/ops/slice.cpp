#include <algorithm>

#include <espalier/autograd/record.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

// Part of an array, as a view of it: what select, slice and diagonal show.
struct SelectPart {
  int dim;
  int64_t index;
  Array operator()(const Array& a) const {
    Array part = a;
    part.offset += index * a.strides[dim];
    part.shape.erase(dim);
    part.strides.erase(dim);
    return part;
  }
};

struct SlicePart {
  int dim;
  int64_t start, length, step;
  Array operator()(const Array& a) const {
    Array part = a;
    if (length > 0) part.offset += start * a.strides[dim];
    part.shape[dim] = length;
    if (length > 1) part.strides[dim] *= step;
    return part;
  }
};

struct DiagonalPart {
  Array operator()(const Array& a) const {
    Array part = a;
    for (int i = 0; i < 2; ++i) {
      part.shape.erase(0);
      part.strides.erase(0);
    }
    part.shape.push_back(std::min(a.shape[0], a.shape[1]));
    part.strides.push_back(a.strides[0] + a.strides[1]);
    return part;
  }
};

// The names under which showing a part and putting it back are recorded.
struct Names {
  const char *show, *put;
};

template <class Part>
Tensor put(Names names, const Tensor& x, const Tensor& source, const Shape& shape, Attrs attrs, Part part);

template <class Part>
Tensor show(Names names, const Tensor& x, Attrs attrs, Part part) {
  return record(names.show, {x}, part(x.array()), attrs, [names, part, shape = x.shape()](const Tensor& g) {
    return grads(put(names, Tensor(), g, shape, {}, part));
  });
}

template <class Part>
Tensor put(Names names, const Tensor& x, const Tensor& source, const Shape& shape, Attrs attrs, Part part) {
  Array y = Array::empty(shape, x.defined() ? x.dtype() : source.dtype());
  if (x.defined()) kernels::copy(y, x.array());
  else kernels::fill(y, 0);
  Array place = part(y);
  require<ShapeError>(place.shape == source.shape(), names.put, ": the source must be ", place.shape, " for ",
                      shape, ", got ", source.shape());
  kernels::copy(place, source.array());
  bool to_x = x.requires_grad();
  return record(names.put, {x, source}, y, attrs, [=](const Tensor& g) {
    Tensor nothing(Array::empty(to_x ? part(g.array()).shape : Shape({0}), g.dtype()));
    return grads(to_x ? put(names, g, nothing.zero_(), shape, {}, part) : Tensor(), show(names, g, {}, part));
  });
}

int checked_dim(const char* op, int64_t dim, const Shape& shape) {
  int d = wrap_dim(op, dim, shape.rank());
  require<ShapeError>(!shape.empty(), op, ": needs at least one dimension, got a scalar");
  return d;
}

SelectPart select_part(const char* op, const Shape& shape, int64_t dim, int64_t index) {
  int d = checked_dim(op, dim, shape);
  int64_t n = shape[d];
  require<IndexError>(-n <= index && index < n, op, ": index ", index, " is outside dimension ", d,
                      " of size ", n, " of ", shape);
  return {d, index < 0 ? index + n : index};
}

SlicePart slice_part(const char* op, const Shape& shape, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> stop, int64_t step) {
  int d = checked_dim(op, dim, shape);
  require<ValueError>(step >= 1, op, ": the step must be at least 1, got ", step,
                      "; use flip to go backwards");
  int64_t n = shape[d];
  auto inside = [n](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + n : i, 0, n); };
  int64_t first = inside(start.value_or(0)), last = std::max(first, inside(stop.value_or(n)));
  return {d, first, (last - first) / step + ((last - first) % step != 0), step};
}

Attr stop_of(const SlicePart& p) {
  return {"stop", p.start + (p.length > 0 ? (p.length - 1) * p.step + 1 : 0)};
}

constexpr Names kSelect{"select", "select_scatter"}, kSlice{"slice", "slice_scatter"},
    kDiagonal{"diagonal", "diagonal_scatter"};

void check_diagonal(const char* op, const Shape& shape) {
  require<ShapeError>(shape.rank() >= 2, op, ": needs at least two dimensions, got ", shape);
}

}  // namespace

Tensor select(const Tensor& x, int64_t dim, int64_t index) {
  SelectPart p = select_part("select", x.shape(), dim, index);
  return show(kSelect, x, {{"dim", p.dim}, {"index", p.index}}, p);
}
Tensor Tensor::select(int64_t dim, int64_t index) const { return espalier::select(*this, dim, index); }

Tensor slice(const Tensor& x, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop,
             int64_t step) {
  SlicePart p = slice_part("slice", x.shape(), dim, start, stop, step);
  return show(kSlice, x, {{"dim", p.dim}, {"start", p.start}, stop_of(p), {"step", step}}, p);
}
Tensor Tensor::slice(int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop,
                     int64_t step) const {
  return espalier::slice(*this, dim, start, stop, step);
}

Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length) {
  int d = checked_dim("narrow", dim, x.shape());
  int64_t n = x.shape()[d], first = start < 0 ? start + n : start;
  require<IndexError>(0 <= first && first <= n && 0 <= length && length <= n - first, "narrow: ", length,
                      " elements from ", start, " are not all inside dimension ", d, " of size ", n, " of ",
                      x.shape());
  return slice(x, d, first, first + length);
}
Tensor Tensor::narrow(int64_t dim, int64_t start, int64_t length) const {
  return espalier::narrow(*this, dim, start, length);
}

Tensor diagonal(const Tensor& x) {
  check_diagonal("diagonal", x.shape());
  return show(kDiagonal, x, {}, DiagonalPart());
}
Tensor Tensor::diagonal() const { return espalier::diagonal(*this); }

Tensor select_scatter(const Tensor& x, const Tensor& source, int64_t dim, int64_t index) {
  SelectPart p = select_part("select_scatter", x.shape(), dim, index);
  return put(kSelect, x, source, x.shape(), {{"dim", p.dim}, {"index", p.index}}, p);
}

Tensor slice_scatter(const Tensor& x, const Tensor& source, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> stop, int64_t step) {
  SlicePart p = slice_part("slice_scatter", x.shape(), dim, start, stop, step);
  return put(kSlice, x, source, x.shape(), {{"dim", p.dim}, {"start", p.start}, stop_of(p), {"step", step}},
             p);
}

Tensor diagonal_scatter(const Tensor& x, const Tensor& source) {
  check_diagonal("diagonal_scatter", x.shape());
  return put(kDiagonal, x, source, x.shape(), {}, DiagonalPart());
}

std::vector<Tensor> split(const Tensor& x, int64_t size, int64_t dim) {
  int d = checked_dim("split", dim, x.shape());
  require<ValueError>(size >= 1, "split: the size of a piece must be at least 1, got ", size);
  std::vector<Tensor> pieces;
  int64_t n = x.shape()[d];
  for (int64_t i = 0; i < n; i += std::min(size, n))
    pieces.push_back(slice(x, d, i, i + std::min(size, n - i)));
  if (n == 0) pieces.push_back(slice(x, d, 0, 0));
  return pieces;
}
std::vector<Tensor> Tensor::split(int64_t size, int64_t dim) const {
  return espalier::split(*this, size, dim);
}

std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim) {
  int d = checked_dim("chunk", dim, x.shape());
  require<ValueError>(chunks >= 1, "chunk: needs at least 1 chunk, got ", chunks);
  int64_t n = x.shape()[d];
  return split(x, std::max<int64_t>(1, n / chunks + (n % chunks != 0)), d);
}
std::vector<Tensor> Tensor::chunk(int64_t chunks, int64_t dim) const {
  return espalier::chunk(*this, chunks, dim);
}

std::vector<Tensor> unbind(const Tensor& x, int64_t dim) {
  int d = checked_dim("unbind", dim, x.shape());
  std::vector<Tensor> pieces;
  for (int64_t i = 0; i < x.shape()[d]; ++i) pieces.push_back(select(x, d, i));
  return pieces;
}
std::vector<Tensor> Tensor::unbind(int64_t dim) const { return espalier::unbind(*this, dim); }

}  // namespace espalier
