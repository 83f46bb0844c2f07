#include <espalier/ops/reduce.h>

#include <algorithm>
#include <cmath>

#include <espalier/autograd/record.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

// What a reduction goes over, and the shapes that remain.
struct Over {
  Over(const char* op, const Tensor& x, const Dims& dims, bool keepdim) : kept(x.shape()), dims(dims) {
    std::array<bool, kMaxRank> reduced{};
    for (int64_t& d : this->dims) {
      d = wrap_dim(op, d, x.dim());
      require<ValueError>(!reduced[d], op, ": dimension ", d, " comes twice in ",
                          static_cast<const Shape&>(dims));
      reduced[d] = true;
    }
    for (int d = 0; d < x.dim(); ++d) {
      bool all = dims.empty();
      if (all || reduced[d]) {
        count *= x.shape()[d];
        kept[d] = 1;
      }
      if (keepdim || !(all || reduced[d])) shape.push_back(kept[d]);
    }
  }

  // Memory for the result as kernels want it, and that memory as the result.
  Array allocate(DType dtype) const { return Array::empty(kept, dtype); }
  Array result(const Array& y) const { return y.view(shape, contiguous_strides(shape), y.offset); }

  Shape kept;         // with size 1 for what is reduced
  Shape shape;        // of the result
  Shape dims;         // wrapped; empty for all
  int64_t count = 1;  // of elements that make one
};

DType sum_type(DType d) { return is_floating_point(d) ? d : DType::int64; }

void check_floating(const char* op, const Tensor& x) {
  require<DTypeError>(x.is_floating_point(), op, ": needs a floating point tensor, got ", x.dtype(),
                      "; convert it with to(float32)");
}

void check_not_empty(const char* op, const Tensor& x, const Over& over) {
  require<ValueError>(over.count > 0, op, ": there is nothing to choose from in ", x.shape());
}

// g / y without what it is where y is 0.
Tensor divided_or_zero(const Tensor& g, const Tensor& y) {
  Tensor zero = y.eq(0);
  return (g / y.masked_fill(zero, 1)).masked_fill(zero, 0);
}

}  // namespace

// ---- sums

Tensor sum(const Tensor& x, const Dims& dims, bool keepdim) {
  Over over("sum", x, dims, keepdim);
  Array y = over.allocate(sum_type(x.dtype()));
  kernels::sum(y, x.array());
  return record("sum", {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}},
                [shape = x.shape(), kept = over.kept](const Tensor& g) {
                  return grads(g.reshape(kept).expand(shape));
                });
}
Tensor sum(const Tensor& x) { return sum(x, Shape(), false); }
Tensor Tensor::sum(const Dims& dims, bool keepdim) const { return espalier::sum(*this, dims, keepdim); }
Tensor Tensor::sum() const { return espalier::sum(*this); }

Tensor sum_to_size(const Tensor& x, const Shape& shape) {
  bool fits = shape.rank() <= x.dim();
  Shape kept = x.shape();
  for (int d = 0; d < x.dim() && fits; ++d) {
    int own = d - (x.dim() - shape.rank());
    kept[d] = own < 0 ? 1 : shape[own];
    fits = kept[d] == 1 || kept[d] == x.shape()[d];
  }
  require<ShapeError>(fits, "sum_to_size: ", shape, " does not broadcast to ", x.shape());
  Array y = Array::empty(kept, sum_type(x.dtype()));
  kernels::sum(y, x.array());
  return record("sum_to_size", {x}, y.view(shape, contiguous_strides(shape), 0), {{"shape", shape}},
                [from = x.shape()](const Tensor& g) { return grads(g.expand(from)); });
}
Tensor Tensor::sum_to_size(const Shape& shape) const { return espalier::sum_to_size(*this, shape); }

Tensor mean(const Tensor& x, const Dims& dims, bool keepdim) {
  check_floating("mean", x);
  Over over("mean", x, dims, keepdim);
  Array y = over.allocate(x.dtype());
  auto n = static_cast<double>(over.count);
  kernels::sum(y, x.array(), n);
  return record("mean", {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}},
                [n, shape = x.shape(), kept = over.kept](const Tensor& g) {
                  return grads((g / n).reshape(kept).expand(shape));
                });
}
Tensor mean(const Tensor& x) { return mean(x, Shape(), false); }
Tensor Tensor::mean(const Dims& dims, bool keepdim) const { return espalier::mean(*this, dims, keepdim); }
Tensor Tensor::mean() const { return espalier::mean(*this); }

namespace {

// x (of any rank) with everything but `lines` dimensions in front: the products of all but one element of
// each line along the last dimension. Costs the square of the line's length; needed only where elements are
// 0.
Tensor products_of_others(const Tensor& x) {
  int64_t n = x.size(-1);
  Shape square = x.shape();
  square.push_back(n);
  Tensor diagonal = eye(n, {.dtype = DType::boolean});
  return x.unsqueeze(-2).expand(square).masked_fill(diagonal, 1).prod(-1);
}

Grads prod_backward(const Tensor& g, const Tensor& x, const Tensor& y, int64_t dim) {
  if (shapes_only() || !x.detach().eq(0).any().item<bool>()) return grads(g * y / x);
  return grads(g * products_of_others(x.transpose(dim, -1)).transpose(dim, -1));
}

}  // namespace

Tensor prod(const Tensor& x, int64_t dim, bool keepdim) {
  Over over("prod", x, dim, keepdim);
  Array y = over.allocate(sum_type(x.dtype()));
  kernels::prod(y, x.array());
  return record("prod", {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}},
                [x = saved(x), kept = over.kept, dim](const Tensor& g, const Tensor& y) {
                  if (x->dim() == 0) return grads(g);
                  return prod_backward(g.reshape(kept), x, y.reshape(kept), dim);
                });
}
Tensor prod(const Tensor& x) { return prod(x.dim() == 1 ? x : x.reshape({-1}), 0); }
Tensor Tensor::prod(int64_t dim, bool keepdim) const { return espalier::prod(*this, dim, keepdim); }
Tensor Tensor::prod() const { return espalier::prod(*this); }

Tensor cumsum(const Tensor& x, int64_t dim) {
  int d = wrap_dim("cumsum", dim, x.dim());
  Array y = Array::empty_like(x.array(), sum_type(x.dtype()));
  if (x.dim() == 0) kernels::copy(y, x.array());
  else kernels::cumsum(y, x.array(), d);
  return record("cumsum", {x}, y, {{"dim", d}}, [d](const Tensor& g) {
    return g.dim() == 0 ? grads(g) : grads(g.flip(d).cumsum(d).flip(d));
  });
}
Tensor Tensor::cumsum(int64_t dim) const { return espalier::cumsum(*this, dim); }

// ---- spread

namespace {

// The sum of (x - mean)² over the elements that `over` joins, divided by what `correction` leaves of their
// number.
struct Spread {
  Array y;
  double divisor;
};

Spread spread(const Tensor& x, const Over& over, double correction, bool root) {
  Array center = over.allocate(x.dtype()), y = over.allocate(x.dtype());
  double divisor = std::max(0.0, static_cast<double>(over.count) - correction);
  kernels::sum(center, x.array(), static_cast<double>(over.count));
  kernels::sum_of_squares(y, x.array(), &center, divisor, root);
  return {over.result(y), divisor};
}

Tensor from_mean(const Tensor& x, const Shape& dims) { return x - x.mean(dims, true); }

}  // namespace

Tensor var(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  check_floating("var", x);
  Over over("var", x, dims, keepdim);
  auto [y, divisor] = spread(x, over, correction, false);
  return record("var", {x}, y, {{"dims", over.dims}, {"correction", correction}, {"keepdim", keepdim}},
                [x = saved(x), over, divisor = divisor](const Tensor& g) {
                  return grads(from_mean(x, over.dims) * (g * (2 / divisor)).reshape(over.kept));
                });
}
Tensor Tensor::var(const Dims& dims, double correction, bool keepdim) const {
  return espalier::var(*this, dims, correction, keepdim);
}

Tensor std(const Tensor& x, const Dims& dims, double correction, bool keepdim) {
  check_floating("std", x);
  Over over("std", x, dims, keepdim);
  auto [y, divisor] = spread(x, over, correction, true);
  return record("std", {x}, y, {{"dims", over.dims}, {"correction", correction}, {"keepdim", keepdim}},
                [x = saved(x), over, divisor = divisor](const Tensor& g, const Tensor& y) {
                  Tensor share = divided_or_zero(g * (1 / divisor), y);
                  return grads(from_mean(x, over.dims) * share.reshape(over.kept));
                });
}
Tensor Tensor::std(const Dims& dims, double correction, bool keepdim) const {
  return espalier::std(*this, dims, correction, keepdim);
}

Tensor norm(const Tensor& x) {
  check_floating("norm", x);
  Over over("norm", x, Shape(), false);
  Array y = over.allocate(x.dtype());
  kernels::sum_of_squares(y, x.array(), nullptr, 1, true);
  return record("norm", {x}, over.result(y), {}, [x = saved(x)](const Tensor& g, const Tensor& y) {
    return grads(*x * divided_or_zero(g, y));
  });
}
Tensor Tensor::norm() const { return espalier::norm(*this); }

Tensor logsumexp(const Tensor& x, const Dims& dims, bool keepdim) {
  check_floating("logsumexp", x);
  Over over("logsumexp", x, dims, keepdim);
  Array y = over.allocate(x.dtype());
  if (over.count > 0) {
    Array largest = over.allocate(x.dtype());
    kernels::max(largest, x.array());
    kernels::log_sum_exp(y, x.array(), largest);
  } else {
    kernels::fill(y, -INFINITY);
  }
  return record("logsumexp", {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}},
                [x = saved(x), kept = over.kept](const Tensor& g, const Tensor& y) {
                  Tensor finite = y.masked_fill(y.eq(-INFINITY), 0);  // e^(-inf - 0) is the 0 that is wanted
                  return grads(g.reshape(kept) * (*x - finite.reshape(kept)).exp());
                });
}
Tensor Tensor::logsumexp(const Dims& dims, bool keepdim) const {
  return espalier::logsumexp(*this, dims, keepdim);
}

// ---- extremes

namespace {

Tensor extreme(const char* op, const Tensor& x, const Dims& dims, bool keepdim, bool largest) {
  Over over(op, x, dims, keepdim);
  check_not_empty(op, x, over);
  Array y = over.allocate(x.dtype());
  (largest ? kernels::max : kernels::min)(y, x.array());
  return record(op, {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}},
                [x = saved(x), over](const Tensor& g, const Tensor& y) {
                  Tensor ties = x->detach().eq(y.detach().reshape(over.kept)).to(g.dtype());
                  return grads(ties / ties.sum(over.dims, true) * g.reshape(over.kept));
                });
}

struct Position {
  Array values, indices;
};

Position extreme_position(const char* op, const Array& x, int64_t dim, bool keepdim, bool largest) {
  Over over(op, Tensor(x), dim, keepdim);
  check_not_empty(op, Tensor(x), over);
  Array values = over.allocate(x.dtype), indices = over.allocate(DType::int64);
  if (x.rank() > 0) {
    kernels::arg_extreme(values, indices, x, static_cast<int>(over.dims[0]), largest);
  } else {
    kernels::copy(values, x);
    kernels::fill(indices, 0);
  }
  return {over.result(values), over.result(indices)};
}

std::pair<Tensor, Tensor> extreme_along(const char* op, const Tensor& x, int64_t dim, bool keepdim,
                                        bool largest) {
  int d = wrap_dim(op, dim, x.dim());
  auto [values, indices] = extreme_position(op, x.array(), d, keepdim, largest);
  Tensor at(indices);
  Tensor y = record(
      op, {x}, values, {{"dim", d}, {"keepdim", keepdim}},
      [at, d, keepdim, shape = x.shape()](const Tensor& g) {
        if (shape.empty()) return grads(g);
        Tensor where = keepdim ? at : at.unsqueeze(d);
        return grads(zeros(shape, {.dtype = g.dtype()}).scatter(d, where, keepdim ? g : g.unsqueeze(d)));
      });
  return {y, record(largest ? "argmax" : "argmin", {x}, indices, {{"dim", d}, {"keepdim", keepdim}})};
}

Tensor position(const char* op, const Tensor& x, int64_t dim, bool keepdim, bool largest) {
  Array indices = extreme_position(op, x.array(), dim, keepdim, largest).indices;
  return record(op, {x}, indices, {{"dim", dim}, {"keepdim", keepdim}});
}

Tensor position(const char* op, const Tensor& x, bool largest) {
  Array flat = kernels::row_major(x.array());
  flat = flat.view({x.numel()}, {1}, flat.offset);
  return record(op, {x}, extreme_position(op, flat, 0, false, largest).indices);
}

}  // namespace

Tensor amax(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("amax", x, dims, keepdim, true);
}
Tensor amin(const Tensor& x, const Dims& dims, bool keepdim) {
  return extreme("amin", x, dims, keepdim, false);
}
Tensor max(const Tensor& x) { return amax(x); }
Tensor min(const Tensor& x) { return amin(x); }
std::pair<Tensor, Tensor> max(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme_along("max", x, dim, keepdim, true);
}
std::pair<Tensor, Tensor> min(const Tensor& x, int64_t dim, bool keepdim) {
  return extreme_along("min", x, dim, keepdim, false);
}
Tensor argmax(const Tensor& x) { return position("argmax", x, true); }
Tensor argmax(const Tensor& x, int64_t dim, bool keepdim) {
  return position("argmax", x, dim, keepdim, true);
}
Tensor argmin(const Tensor& x) { return position("argmin", x, false); }
Tensor argmin(const Tensor& x, int64_t dim, bool keepdim) {
  return position("argmin", x, dim, keepdim, false);
}

Tensor Tensor::amax(const Dims& dims, bool keepdim) const { return espalier::amax(*this, dims, keepdim); }
Tensor Tensor::amin(const Dims& dims, bool keepdim) const { return espalier::amin(*this, dims, keepdim); }
Tensor Tensor::max() const { return espalier::max(*this); }
Tensor Tensor::min() const { return espalier::min(*this); }
std::pair<Tensor, Tensor> Tensor::max(int64_t dim, bool keepdim) const {
  return espalier::max(*this, dim, keepdim);
}
std::pair<Tensor, Tensor> Tensor::min(int64_t dim, bool keepdim) const {
  return espalier::min(*this, dim, keepdim);
}
Tensor Tensor::argmax() const { return espalier::argmax(*this); }
Tensor Tensor::argmax(int64_t dim, bool keepdim) const { return espalier::argmax(*this, dim, keepdim); }
Tensor Tensor::argmin() const { return espalier::argmin(*this); }
Tensor Tensor::argmin(int64_t dim, bool keepdim) const { return espalier::argmin(*this, dim, keepdim); }

// ---- truth

namespace {

Tensor truth(const char* op, const Tensor& x, const Dims& dims, bool keepdim, bool all) {
  Over over(op, x, dims, keepdim);
  Array counts = over.allocate(DType::int64), y = over.allocate(DType::boolean);
  kernels::count_nonzero(counts, x.array());
  if (!nothing_to_do(y)) {
    const int64_t* n = counts.data<int64_t>();
    std::transform(n, n + y.numel(), y.data<bool>(),
                   [&](int64_t k) { return all ? k == over.count : k > 0; });
  }
  return record(op, {x}, over.result(y), {{"dims", over.dims}, {"keepdim", keepdim}});
}

}  // namespace

Tensor any(const Tensor& x) { return truth("any", x, Shape(), false, false); }
Tensor any(const Tensor& x, int64_t dim, bool keepdim) { return truth("any", x, dim, keepdim, false); }
Tensor all(const Tensor& x) { return truth("all", x, Shape(), false, true); }
Tensor all(const Tensor& x, int64_t dim, bool keepdim) { return truth("all", x, dim, keepdim, true); }
Tensor Tensor::any() const { return espalier::any(*this); }
Tensor Tensor::any(int64_t dim, bool keepdim) const { return espalier::any(*this, dim, keepdim); }
Tensor Tensor::all() const { return espalier::all(*this); }
Tensor Tensor::all(int64_t dim, bool keepdim) const { return espalier::all(*this, dim, keepdim); }

}  // namespace espalier
