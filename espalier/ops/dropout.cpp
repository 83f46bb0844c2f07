#include <espalier/ops/dropout.h>

#include <espalier/autograd/record.h>
#include <espalier/core/random.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/ops/floating.h>

namespace espalier {
namespace {

// What each element is multiplied by: 0 or 1 / (1 - p).
Array factors(const Shape& shape, DType dtype, double p) {
  Array out = Array::empty(shape, dtype);
  if (p == 1) {
    kernels::fill(out, 0);
  } else if (!nothing_to_do(out)) {
    default_generator().bernoulli(out, 1 - p);
    kernels::elementwise(kernels::div, kernels::compute_type(dtype), out, {out, Scalar(1 - p)});
  }
  return out;
}

}  // namespace

Tensor dropout(const Tensor& x, double p, bool training) {
  require<ValueError>(p >= 0 && p <= 1, "dropout: p must be from 0 to 1, got ", p);
  detail::check_floating("dropout", x);
  if (!training || p == 0) return x;
  Tensor kept(factors(x.shape(), x.dtype(), p));
  Array y = Array::empty_like(x.array());
  kernels::elementwise(kernels::mul, kernels::compute_type(x.dtype()), y, {x.array(), kept.array()});
  return record("dropout", {x}, y, {{"p", p}}, [kept](const Tensor& g) { return grads(g * kept); });
}

}  // namespace espalier
