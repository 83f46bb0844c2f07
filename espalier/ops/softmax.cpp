#include <espalier/ops/softmax.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/row_major.h>
#include <espalier/kernels/softmax.h>
#include <espalier/ops/floating.h>

namespace espalier {
namespace {

Array forward(const char* op, const Tensor& x, int dim, bool log) {
  detail::check_floating(op, x);
  Array y = Array::empty_like(x.array()), source = x.array();
  if (!source.is_dense()) source = kernels::row_major(source);
  if (x.dim() == 0) kernels::fill(y, log ? 0 : 1);
  else kernels::softmax(y, source, dim, log);
  return y;
}

}  // namespace

Tensor softmax(const Tensor& x, int64_t dim) {
  int d = wrap_dim("softmax", dim, x.dim());
  return record("softmax", {x}, forward("softmax", x, d, false), {{"dim", d}},
                [d](const Tensor& g, const Tensor& y) { return grads(y * (g - (g * y).sum(d, true))); });
}
Tensor Tensor::softmax(int64_t dim) const { return espalier::softmax(*this, dim); }

Tensor log_softmax(const Tensor& x, int64_t dim) {
  int d = wrap_dim("log_softmax", dim, x.dim());
  return record("log_softmax", {x}, forward("log_softmax", x, d, true), {{"dim", d}},
                [d](const Tensor& g, const Tensor& y) { return grads(g - y.exp() * g.sum(d, true)); });
}
Tensor Tensor::log_softmax(int64_t dim) const { return espalier::log_softmax(*this, dim); }

}  // namespace espalier
