#include <algorithm>
#include <iterator>
#include <numeric>

#include <espalier/autograd/record.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/index.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

// Elements start … start + length of a dimension.
Array part(const Array& a, int dim, int64_t start, int64_t length) {
  Array p = a;
  if (length > 0) p.offset += start * a.strides[dim];
  p.shape[dim] = length;
  return p;
}

// The rules of cat are checked, and its result's shape, dtype and order in memory found.
Array joined(const std::vector<Tensor>& tensors, int dim) {
  Shape shape = tensors[0].shape();
  DType dtype = tensors[0].dtype();
  int64_t total = 0;
  bool channels_last = shape.rank() == 4;
  for (size_t i = 0; i < tensors.size(); ++i) {
    Shape own = tensors[i].shape();
    total = checked_add(total, own.rank() > dim ? own[dim] : 0, "the joined size");
    shape[dim] = own.rank() > dim ? own[dim] : 0;
    require<ShapeError>(own == shape, "cat: tensor ", i, " is ", own, ", but for dimension ", dim,
                        " it must be as tensor 0, ", tensors[0].shape());
    dtype = promote_types(dtype, tensors[i].dtype());
    channels_last = channels_last && tensors[i].array().is_channels_last() && !tensors[i].is_contiguous();
  }
  shape[dim] = total;
  return channels_last ? Array::empty(shape, dtype, channels_last_strides(shape))
                       : Array::empty(shape, dtype);
}

}  // namespace

Tensor cat(const std::vector<Tensor>& tensors, int64_t dim) {
  require<ValueError>(!tensors.empty(), "cat: needs at least one tensor");
  std::vector<Tensor> parts;
  std::copy_if(tensors.begin(), tensors.end(), std::back_inserter(parts),
               [](const Tensor& t) { return t.shape() != Shape{0}; });
  if (parts.empty()) parts.push_back(tensors[0]);
  require<ShapeError>(parts[0].dim() > 0, "cat: scalars can't be joined; use stack");
  int d = wrap_dim("cat", dim, parts[0].dim());
  Array y = joined(parts, d);
  std::vector<int64_t> ends;
  int64_t at = 0;
  for (const Tensor& t : parts) {
    Array place = part(y, d, at, t.shape()[d]);
    kernels::copy(place, t.array());
    ends.push_back(at += t.shape()[d]);
  }
  return record("cat", parts, y, {{"dim", d}}, [ends, d](const Tensor& g) {
    std::vector<Tensor> out;
    for (size_t i = 0; i < ends.size(); ++i) out.push_back(g.slice(d, i == 0 ? 0 : ends[i - 1], ends[i]));
    return Grads(std::move(out));
  });
}

Tensor stack(const std::vector<Tensor>& tensors, int64_t dim) {
  require<ValueError>(!tensors.empty(), "stack: needs at least one tensor");
  int d = wrap_dim("stack", dim, tensors[0].dim() + 1);
  std::vector<Tensor> parts;
  for (const Tensor& t : tensors) {
    require<ShapeError>(t.shape() == tensors[0].shape(), "stack: tensor ", parts.size(), " is ", t.shape(),
                        ", tensor 0 is ", tensors[0].shape());
    parts.push_back(t.unsqueeze(d));
  }
  return cat(parts, d);
}

Tensor pad(const Tensor& x, const std::vector<int64_t>& pads, Scalar value) {
  auto dims = static_cast<int>(pads.size() / 2);
  require<ShapeError>(pads.size() % 2 == 0 && dims <= x.dim(), "pad: ", pads.size(),
                      " widths, two for each dimension from the last on, do not fit ", x.shape());
  Shape shape = x.shape();
  Array from = x.array();
  for (int i = 0; i < dims; ++i) {
    int d = x.dim() - 1 - i;
    int64_t before = pads[2 * i], after = pads[2 * i + 1];
    shape[d] = checked_add(checked_add(shape[d], before, "the padded size"), after, "the padded size");
    int64_t cut = std::max<int64_t>(0, -before), kept = from.shape[d] - cut - std::max<int64_t>(0, -after);
    require<ShapeError>(shape[d] >= 0 && kept >= 0, "pad: ", before, " and ", after,
                        " cut more off dimension ", d, " of ", x.shape(), " than there is");
    from = part(from, d, cut, kept);
  }
  bool channels_last = x.array().is_channels_last() && !x.is_contiguous();
  Array y = channels_last ? Array::empty(shape, x.dtype(), channels_last_strides(shape))
                          : Array::empty(shape, x.dtype());
  kernels::fill(y, value);
  Array place = y;
  for (int i = 0; i < dims; ++i) {
    int d = x.dim() - 1 - i;
    place = part(place, d, std::max<int64_t>(0, pads[2 * i]), from.shape[d]);
  }
  kernels::copy(place, from);
  return record("pad", {x}, y, {{"value", value}}, [pads](const Tensor& g) {
    std::vector<int64_t> back(pads.size());
    std::transform(pads.begin(), pads.end(), back.begin(), std::negate<>());
    return grads(pad(g, back, 0));
  });
}

Tensor repeat(const Tensor& x, const Shape& repeats) {
  int added = repeats.rank() - x.dim();
  require<ShapeError>(added >= 0, "repeat: needs a number for each dimension of ", x.shape(), ", got ",
                      repeats);
  Shape shape = x.shape();
  for (int i = 0; i < added; ++i) shape.insert(0, 1);
  Tensor y = added > 0 ? x.reshape(shape) : x;
  for (int d = 0; d < repeats.rank(); ++d) {
    require<ValueError>(repeats[d] >= 0, "repeat: a negative number in ", repeats);
    if (repeats[d] == 0) y = y.slice(d, 0, 0);
    else if (repeats[d] > 1) y = cat(std::vector<Tensor>(static_cast<size_t>(repeats[d]), y), d);
  }
  return y.is_same(x) ? x.clone() : y;
}
Tensor Tensor::repeat(const Shape& repeats) const { return espalier::repeat(*this, repeats); }

Tensor flip(const Tensor& x, const Dims& dims) {
  Shape order = dims;
  Array y = x.array();
  std::array<bool, kMaxRank> seen{};
  for (int64_t& d : order) {
    d = wrap_dim("flip", d, x.dim());
    require<ValueError>(!seen[d], "flip: dimension ", d, " comes twice");
    seen[d] = true;
    if (x.dim() == 0) continue;
    Array from = y;
    y = Array::empty_like(from);
    kernels::flip(y, from, static_cast<int>(d));
  }
  if (y.storage == x.array().storage) return x.clone();
  return record("flip", {x}, y, {{"dims", order}}, [order](const Tensor& g) { return grads(g.flip(order)); });
}
Tensor Tensor::flip(const Dims& dims) const { return espalier::flip(*this, dims); }

Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims) {
  require<ShapeError>(shifts.rank() == dims.rank(), "roll: ", shifts.rank(), " shifts for ", dims.rank(),
                      " dimensions");
  Tensor y = x;
  for (int i = 0; i < dims.rank(); ++i) {
    int d = wrap_dim("roll", dims[i], x.dim());
    int64_t n = x.dim() == 0 ? 0 : x.shape()[d];
    if (n == 0 || shifts[i] % n == 0) continue;
    int64_t tail = n - ((shifts[i] % n) + n) % n;
    y = cat({y.slice(d, tail, n), y.slice(d, 0, tail)}, d);
  }
  return y.is_same(x) ? x.clone() : y;
}

namespace {

Tensor triangle(const char* op, const Tensor& x, int64_t diagonal, bool lower) {
  require<ShapeError>(x.dim() >= 2, op, ": needs at least two dimensions, got ", x.shape());
  Array y = Array::empty_like(x.array());
  kernels::triangle(y, x.array(), diagonal, lower);
  return record(op, {x}, y, {{"diagonal", diagonal}},
                [=](const Tensor& g) { return grads(triangle(op, g, diagonal, lower)); });
}

}  // namespace

Tensor tril(const Tensor& x, int64_t diagonal) { return triangle("tril", x, diagonal, true); }
Tensor triu(const Tensor& x, int64_t diagonal) { return triangle("triu", x, diagonal, false); }
Tensor Tensor::tril(int64_t diagonal) const { return espalier::tril(*this, diagonal); }
Tensor Tensor::triu(int64_t diagonal) const { return espalier::triu(*this, diagonal); }

}  // namespace espalier
