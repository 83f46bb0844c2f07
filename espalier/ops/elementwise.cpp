#include <espalier/ops/elementwise.h>

namespace espalier::detail {
namespace {

// PyTorch's rule for a tensor with dimensions and one without.
DType with_number(DType tensor, DType number) {
  if (is_floating_point(tensor)) return tensor;
  bool higher = is_floating_point(number) || tensor == DType::boolean;
  return higher ? promote_types(tensor, number) : tensor;
}

Array dense_result(const Shape& shape, DType dtype, std::initializer_list<const Tensor*> inputs) {
  for (const Tensor* t : inputs) {
    if (t->shape() == shape && t->array().is_dense()) return Array::empty(shape, dtype, t->strides());
  }
  return Array::empty(shape, dtype);
}

bool same_place(const Array& a, const Array& b) {
  return a.offset == b.offset && a.shape == b.shape && a.strides == b.strides && a.dtype == b.dtype;
}

// bool < integers < floating point
int kind(DType d) { return d == DType::boolean ? 0 : is_floating_point(d) ? 2 : 1; }

}  // namespace

DType result_type(const Tensor& a, const Tensor& b) {
  if (a.dim() > 0 && b.dim() == 0) return with_number(a.dtype(), b.dtype());
  if (a.dim() == 0 && b.dim() > 0) return with_number(b.dtype(), a.dtype());
  return promote_types(a.dtype(), b.dtype());
}

Array result(const char* op, const Tensor& a, const Tensor& b, DType dtype) {
  return dense_result(broadcast_shapes(op, a.shape(), b.shape()), dtype, {&a, &b});
}

Array result(const char* op, const Tensor& a, const Tensor& b, const Tensor& c, DType dtype) {
  Shape shape = broadcast_shapes(op, broadcast_shapes(op, a.shape(), b.shape()), c.shape());
  return dense_result(shape, dtype, {&a, &b, &c});
}

Array apart_from(const Array& target, const Array& other) {
  if (!(target.storage == other.storage) || same_place(target, other)) return other;
  Array apart = Array::empty_like(other);
  kernels::copy(apart, other);
  return apart;
}

void check_fits(const char* op, const Tensor& target, const Shape& other, DType result) {
  require<ShapeError>(broadcast_shapes(op, target.shape(), other) == target.shape(), op, ": ", other,
                      " does not broadcast to the shape ", target.shape(), " of the tensor that is written");
  require<DTypeError>(kind(result) <= kind(target.dtype()), op, ": the result is ", result,
                      ", it can't be kept in the tensor's ", target.dtype(),
                      "; use the operation that is not in place");
}

Tensor one_pass(const kernels::Row& row, const Tensor& g, const Tensor& t) {
  Array y = Array::empty_like(t.array());
  kernels::elementwise(row, kernels::compute_type(t.dtype()), y, {g.array(), t.array()});
  return Tensor(std::move(y));
}

}  // namespace espalier::detail
