#include <espalier/ops/index.h>

#include <algorithm>

#include <espalier/autograd/record.h>
#include <espalier/kernels/index.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/positions.h>
#include <espalier/ops/view.h>

namespace espalier {

using detail::checked_positions;
using detail::zeros_array;

namespace {

// Tensors of positions for dimensions of a tensor; undefined where a dimension is taken whole.
struct Picks {
  std::vector<Array> positions;  // broadcast together, in row-major order
  Shape order;                   // the dimensions indexed, then the others
  Shape picked;                  // the shape of the positions
  int at = 0;                    // where that shape stands in the result
  Shape shape;                   // of what is indexed

  // The indexed dimensions first, and they alone replaced by one for all positions.
  Array front(const Array& a) const {
    Array out = a;
    for (int i = 0; i < order.rank(); ++i) {
      out.shape[i] = a.shape[order[i]];
      out.strides[i] = a.strides[order[i]];
    }
    return out;
  }
  Shape rest() const {
    Shape s;
    for (int i = static_cast<int>(positions.size()); i < order.rank(); ++i) s.push_back(shape[order[i]]);
    return s;
  }
  Shape result_shape() const {
    Shape s = rest();
    for (int i = 0; i < picked.rank(); ++i) s.insert(at + i, picked[i]);
    return s;
  }
  // A result seen as [positions, rest…]; needs row-major order.
  Array rows(const Array& result) const {
    Array out = result;
    out.shape = rest();
    Strides strides = contiguous_strides(result.shape);
    out.strides = out.shape;
    for (int i = 0; i < out.rank(); ++i) out.strides[i] = strides[i < at ? i : i + picked.rank()];
    out.shape.insert(0, picked.numel());
    out.strides.insert(0, picked.empty() ? 1 : strides[at + picked.rank() - 1]);
    return out;
  }
};

Tensor put_back(const Tensor& g, const Picks& picks);

Tensor take(const Tensor& x, const Picks& picks) {
  Array y = Array::empty(picks.result_shape(), x.dtype());
  Array rows = picks.rows(y);
  kernels::take(rows, picks.front(x.array()), picks.positions);
  return record("index", {x}, y, {}, [picks](const Tensor& g) { return grads(put_back(g, picks)); });
}

// Zeros of the shape indexed, with g added at the positions.
Tensor put_back(const Tensor& g, const Picks& picks) {
  Array y = zeros_array(picks.shape, g.dtype());
  Array place = picks.front(y);
  kernels::put(place, picks.rows(kernels::row_major(g.array())), picks.positions, true);
  return record("index_backward", {g}, y, {}, [picks](const Tensor& gg) { return grads(take(gg, picks)); });
}

// A mask as tensors of positions, one for each of its dimensions.
std::vector<Tensor> positions_of(const Tensor& mask, const Shape& shape, int first) {
  bool fits = first + mask.dim() <= shape.rank();
  for (int d = 0; d < mask.dim() && fits; ++d) fits = mask.shape()[d] == shape[first + d];
  require<ShapeError>(fits, "index: the mask ", mask.shape(), " does not fit the dimensions from ", first,
                      " on of ", shape);
  Array found = kernels::nonzero(mask.array());
  std::vector<Tensor> columns;
  for (int d = 0; d < mask.dim(); ++d)
    columns.push_back(Tensor(found.view({found.shape[0]}, {mask.dim()}, d)));
  return columns;
}

Picks make_picks(const Shape& shape, const std::vector<Tensor>& tensors) {
  Picks p;
  p.shape = shape;
  int first = -1, last = -1;
  for (int d = 0; d < shape.rank(); ++d) {
    if (!tensors[d].defined()) continue;
    p.picked = broadcast_shapes("index", p.picked, tensors[d].shape());
    p.order.push_back(d);
    if (first < 0) first = d;
    last = d;
  }
  bool neighbours = last - first + 1 == p.order.rank();
  p.at = neighbours ? first : 0;
  for (int64_t d : Shape(p.order)) {
    Array checked =
        checked_positions("index", tensors[d], static_cast<int>(d), shape[d], detail::Below::from_end);
    p.positions.push_back(kernels::row_major(checked.expand("index", p.picked)));
  }
  for (int d = 0; d < shape.rank(); ++d) {
    if (!tensors[d].defined()) p.order.push_back(d);
  }
  return p;
}

using Kind = TensorIndex::Kind;

int64_t dims_used(const TensorIndex& i) {
  if (i.kind() == Kind::new_axis || i.kind() == Kind::ellipsis) return 0;
  return i.kind() == Kind::tensor && i.tensor().dtype() == DType::boolean ? i.tensor().dim() : 1;
}

// x after positions, slices and new dimensions, and the tensors for its dimensions.
struct Plain {
  Tensor x;
  std::vector<Tensor> tensors;
  bool any = false;
};

using Indices = std::span<const TensorIndex>;

Plain apply_plain(const Tensor& x, Indices indices) {
  int64_t used = 0, ellipses = 0;
  for (const TensorIndex& i : indices) {
    used += dims_used(i);
    ellipses += i.kind() == Kind::ellipsis;
  }
  require<IndexError>(ellipses <= 1, "index: only one ellipsis is possible");
  require<IndexError>(used <= x.dim(), "index: ", used, " indices for the ", x.dim(), " dimensions of ",
                      x.shape());
  Plain p{x, {}};
  auto keep = [&](int64_t n) { p.tensors.resize(p.tensors.size() + static_cast<size_t>(n)); };
  for (const TensorIndex& i : indices) {
    auto d = static_cast<int>(p.tensors.size());
    if (i.kind() == Kind::position) {
      p.x = p.x.select(d, i.position());
    } else if (i.kind() == Kind::slice) {
      const Slice& s = i.slice();
      bool whole = !s.start && !s.stop && s.step == 1;
      if (!whole) p.x = p.x.slice(d, s.start, s.stop, s.step);
      keep(1);
    } else if (i.kind() == Kind::ellipsis) {
      keep(x.dim() - used);
    } else if (i.kind() == Kind::new_axis) {
      p.x = p.x.unsqueeze(d);
      keep(1);
    } else {
      const Tensor& t = i.tensor();
      bool mask = t.dtype() == DType::boolean;
      require<ShapeError>(!mask || t.dim() > 0, "index: a mask needs at least one dimension");
      for (Tensor& positions : mask ? positions_of(t, p.x.shape(), d) : std::vector<Tensor>{t}) {
        p.tensors.push_back(positions);
      }
      p.any = true;
    }
  }
  keep(p.x.dim() - static_cast<int64_t>(p.tensors.size()));
  return p;
}

Tensor index_of(const Tensor& x, Indices indices) {
  Plain p = apply_plain(x, indices);
  return p.any ? take(p.x, make_picks(p.x.shape(), p.tensors)) : p.x;
}

Indices span_of(std::initializer_list<TensorIndex> indices) { return {indices.begin(), indices.size()}; }

// A place to write to: the view that positions and slices show, and the picks in it.
struct Place {
  Array part;
  Picks picks;

  Place(const Tensor& x, Indices indices) {
    NoGrad no_tape;
    RecorderScope no_record(nullptr);
    Plain p = apply_plain(x.detach(), indices);
    part = p.x.array();
    picks = make_picks(p.x.shape(), p.tensors);
  }

  // Into this place of `whole`, which has the shape of x.
  void write(const Array& whole, const Array& values) const {
    Array to = whole.view(part.shape, part.strides, part.offset),
          dense = Array::empty(picks.result_shape(), whole.dtype);
    kernels::copy(dense, values);
    if (picks.positions.empty()) return kernels::copy(to, dense);
    Array place = picks.front(to);
    kernels::put(place, picks.rows(dense), picks.positions, false);
  }
};

// Where index_put_ wrote, as a mask.
Tensor written(const Shape& shape, Indices indices) {
  Tensor mask(zeros_array(shape, DType::boolean)), on = full({}, true);
  Place(mask, indices).write(mask.array(), on.array());
  return mask;
}

}  // namespace

Tensor index(const Tensor& x, std::initializer_list<TensorIndex> indices) {
  return index_of(x, span_of(indices));
}
Tensor Tensor::index(std::initializer_list<TensorIndex> indices) const {
  return espalier::index(*this, indices);
}
Tensor Tensor::operator[](const Tensor& index) const { return espalier::index(*this, {index}); }

Tensor& index_put_(Tensor& x, std::initializer_list<TensorIndex> indices, const Tensor& values) {
  Place place(x, span_of(indices));
  Shape shape = place.picks.result_shape();
  require<ShapeError>(broadcast_shapes("index_put_", shape, values.shape()) == shape,
                      "index_put_: the values ", values.shape(), " do not broadcast to the place ", shape);
  return record_write(
      "index_put_", x, {x, values}, {}, [&] { place.write(x.array(), values.array()); },
      [shape = x.shape(), kept = std::vector<TensorIndex>(indices)](const Tensor& g) {
        return grads(g.masked_fill(written(shape, kept), 0), index_of(g, kept));
      });
}
Tensor& Tensor::index_put_(std::initializer_list<TensorIndex> indices, const Tensor& values) {
  return espalier::index_put_(*this, indices, values);
}

Tensor masked_select(const Tensor& x, const Tensor& mask) {
  require<DTypeError>(mask.dtype() == DType::boolean, "masked_select: the mask must be bool, got ",
                      mask.dtype());
  Shape shape = broadcast_shapes("masked_select", x.shape(), mask.shape());
  return x.expand(shape).reshape({-1}).index({mask.expand(shape).reshape({-1})});
}
Tensor Tensor::masked_select(const Tensor& mask) const { return espalier::masked_select(*this, mask); }

Tensor nonzero(const Tensor& x) { return record("nonzero", {x}, kernels::nonzero(x.array())); }
Tensor Tensor::nonzero() const { return espalier::nonzero(*this); }

Tensor one_hot(const Tensor& x, int64_t num_classes) {
  int64_t n = num_classes >= 0 ? num_classes : x.numel() == 0 ? 0 : x.max().item<int64_t>() + 1;
  Array classes = checked_positions("one_hot", x, x.dim(), n);
  Shape shape = x.shape();
  shape.push_back(n);
  Array y = zeros_array(shape, DType::int64);
  if (!nothing_to_do(y)) {
    for (int64_t i = 0, count = classes.numel(); i < count; ++i) {
      int64_t c = classes.data<int64_t>()[i];
      y.data<int64_t>()[i * n + c] = 1;
    }
  }
  return record("one_hot", {x}, y, {{"num_classes", n}});
}

}  // namespace espalier
