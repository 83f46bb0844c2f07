#include <espalier/ops/copy.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/elementwise.h>

namespace espalier {
namespace {

Tensor copied(const char* op, const Tensor& x, Array y) {
  kernels::copy(y, x.array());
  return record(op, {x}, y, {}, [](const Tensor& g) { return grads(g); });
}

}  // namespace

Tensor clone(const Tensor& x) { return copied("clone", x, Array::empty_like(x.array())); }
Tensor Tensor::clone() const { return espalier::clone(*this); }

Tensor contiguous(const Tensor& x) {
  if (x.is_contiguous()) return x;
  return copied("contiguous", x, Array::empty(x.shape(), x.dtype()));
}
Tensor Tensor::contiguous() const { return espalier::contiguous(*this); }

Tensor to(const Tensor& x, DType dtype) {
  if (x.dtype() == dtype) return x;
  Array y = Array::empty_like(x.array(), dtype);
  kernels::copy(y, x.array());
  if (!is_floating_point(dtype)) return record("to", {x}, y, {{"dtype", name(dtype).data()}});
  return record("to", {x}, y, {{"dtype", name(dtype).data()}}, [](const Tensor& g) { return grads(g); });
}
Tensor Tensor::to(DType dtype) const { return espalier::to(*this, dtype); }

Tensor& Tensor::copy_(const Tensor& source) {
  require<ShapeError>(broadcast_shapes("copy_", shape(), source.shape()) == shape(), "copy_: the source ",
                      source.shape(), " does not broadcast to ", shape());
  auto run = [&] { kernels::copy(body_->array, detail::apart_from(array(), source.array())); };
  return record_write("copy_", *this, {*this, source}, {}, run,
                      [](const Tensor& g) { return grads(zeros_like(g), g); });
}

Tensor& Tensor::fill_(Scalar value) {
  array();
  return record_write(
      "fill_", *this, {*this}, {{"value", value}}, [&] { kernels::fill(body_->array, value); },
      [](const Tensor& g) { return grads(zeros_like(g)); });
}

}  // namespace espalier
