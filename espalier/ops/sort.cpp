#include <espalier/ops/sort.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/index.h>
#include <espalier/ops/creation.h>

namespace espalier {
namespace {

// The first k along `dim` in order.
std::pair<Tensor, Tensor> sorted(const char* op, const Tensor& x, int64_t k, int dim, bool descending,
                                 Attrs attrs) {
  Array source = x.array();
  if (x.dim() == 0) source = source.view({1}, {1}, source.offset);
  Shape shape = source.shape;
  shape[dim] = k;
  Array values = Array::empty(shape, x.dtype()), indices = Array::empty(shape, DType::int64);
  kernels::sort(values, indices, source, dim, descending);
  if (x.dim() == 0) {
    values = values.view({}, {}, 0);
    indices = indices.view({}, {}, 0);
  }
  Tensor at(indices);
  Tensor y = record(op, {x}, values, attrs, [at, dim, shape = x.shape()](const Tensor& g) {
    return grads(zeros(shape, {.dtype = g.dtype()}).scatter(dim, at, g));
  });
  return {y, record("argsort", {x}, indices, attrs)};
}

int64_t length(const Tensor& x, int dim) { return x.dim() == 0 ? 1 : x.shape()[dim]; }

}  // namespace

std::pair<Tensor, Tensor> sort(const Tensor& x, int64_t dim, bool descending) {
  int d = wrap_dim("sort", dim, x.dim());
  return sorted("sort", x, length(x, d), d, descending, {{"dim", d}, {"descending", descending}});
}
std::pair<Tensor, Tensor> Tensor::sort(int64_t dim, bool descending) const {
  return espalier::sort(*this, dim, descending);
}

Tensor argsort(const Tensor& x, int64_t dim, bool descending) {
  return sort(x.detach(), dim, descending).second;
}
Tensor Tensor::argsort(int64_t dim, bool descending) const {
  return espalier::argsort(*this, dim, descending);
}

std::pair<Tensor, Tensor> topk(const Tensor& x, int64_t k, int64_t dim, bool largest) {
  int d = wrap_dim("topk", dim, x.dim());
  int64_t n = length(x, d);
  require<ValueError>(0 <= k && k <= n, "topk: k is ", k, ", dimension ", d, " of ", x.shape(), " has ", n,
                      " elements");
  if (x.dim() == 0 && k == 0) return topk(x.reshape({1}), 0, 0, largest);
  return sorted("topk", x, k, d, largest, {{"k", k}, {"dim", d}, {"largest", largest}});
}
std::pair<Tensor, Tensor> Tensor::topk(int64_t k, int64_t dim, bool largest) const {
  return espalier::topk(*this, k, dim, largest);
}

}  // namespace espalier
