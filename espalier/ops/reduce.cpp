#include <espalier/ops/reduce.h>

#include <algorithm>
#include <cmath>

#include <espalier/autograd/record.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/over.h>
#include <espalier/ops/view.h>

namespace espalier {

using detail::check_floating;
using detail::Over;

namespace {

DType sum_type(DType d) { return is_floating_point(d) ? d : DType::int64; }

// g / y without what it is where y is 0.
Tensor divided_or_zero(const Tensor& g, const Tensor& y) {
  Tensor zero = y.eq(0);
  return (g / y.masked_fill(zero, 1)).masked_fill(zero, 0);
}

}  // namespace

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

// For each element the product of the others of its line along the last dimension. Costs the square of the
// line's length; needed only where elements are 0.
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

namespace {

// The sum of (x - mean)² over the elements that `over` joins, divided by what `correction` leaves of their
// number.
struct Spread {
  Array y;
  double divisor;
};

Spread spread(const Tensor& x, const Over& over, double correction, bool root) {
  // A mean rounded to bfloat16 would be too far off.
  DType compute = x.dtype() == DType::bfloat16 ? DType::float32 : x.dtype();
  Array source = x.array(), center = over.allocate(compute), y = over.allocate(compute);
  if (compute != x.dtype()) {
    source = Array::empty_like(x.array(), compute);
    kernels::copy(source, x.array());
  }
  double divisor = std::max(0.0, static_cast<double>(over.count) - correction);
  kernels::sum(center, source, static_cast<double>(over.count));
  kernels::sum_of_squares(y, source, &center, divisor, root);
  Array out = over.allocate(x.dtype());
  kernels::copy(out, y);
  return {over.result(out), divisor};
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

}  // namespace espalier
