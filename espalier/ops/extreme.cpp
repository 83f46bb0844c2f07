#include <algorithm>

#include <espalier/autograd/record.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/over.h>
#include <espalier/ops/reduce.h>
#include <espalier/ops/view.h>

namespace espalier {

using detail::Over;

namespace {

void check_not_empty(const char* op, const Tensor& x, const Over& over) {
  require<ValueError>(over.count > 0, op, ": there is nothing to choose from in ", x.shape());
}

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
