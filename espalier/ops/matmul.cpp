#include <espalier/autograd/autocast.h>
#include <espalier/autograd/record.h>
#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/matmul.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/transposed.h>
#include <espalier/ops/matmul.h>

namespace espalier {
namespace {

void check_dtypes(const char* op, const Tensor& a, const Tensor& b) {
  require<DTypeError>(a.dtype() == b.dtype(), op, ": the dtypes differ, ", a.dtype(), " and ", b.dtype(),
                      "; convert one with to()");
  require<DTypeError>(a.dtype() != DType::boolean, op, ": not for bool; convert with to()");
}

// [a, b, c, n] as [a·b·c, n]
Tensor as_matrix(const Tensor& x) {
  int64_t cols = x.shape().back(), rows = 1;
  for (int d = 0; d < x.dim() - 1; ++d) rows *= x.shape()[d];
  return x.dim() == 2 ? x : x.reshape({rows, cols});
}

Tensor transposed(const Tensor& x) { return x.transpose(-2, -1); }

// Both of rank 2 or more.
Tensor product(const Tensor& a, const Tensor& b) {
  int64_t m = a.size(-2), k = a.size(-1), n = b.size(-1);
  require<ShapeError>(b.size(-2) == k, "matmul: ", a.shape(), " and ", b.shape(), " do not fit, ", k,
                      " columns against ", b.size(-2), " rows");
  auto batch = [](const Tensor& x) { return Shape(std::span(x.shape()).first(x.dim() - 2)); };
  Shape shape = broadcast_shapes("matmul", batch(a), batch(b));
  shape.push_back(m), shape.push_back(n);
  Array y = Array::empty(shape, a.dtype());
  kernels::matmul(y, a.array(), b.array());
  return record(
      "matmul", {a, b}, y, {},
      [a = saved(a), b = saved(b), to_a = a.requires_grad(), to_b = b.requires_grad()](const Tensor& g) {
        Tensor ga = to_a ? matmul(g, transposed(b)) : Tensor();
        if (!to_b) return grads(ga);
        if (b->dim() == 2) return grads(ga, matmul(as_matrix(a).t(), as_matrix(g)));
        return grads(ga, matmul(transposed(a), g));
      });
}

}  // namespace

Tensor matmul(const Tensor& a, const Tensor& b) {
  if (detail::Casts to("matmul", {a, b}); to) return matmul(to(a), to(b));
  check_dtypes("matmul", a, b);
  require<ShapeError>(a.dim() >= 1 && b.dim() >= 1, "matmul: needs vectors or matrices, got ", a.shape(),
                      " and ", b.shape());
  Tensor y = product(a.dim() == 1 ? a.unsqueeze(0) : a, b.dim() == 1 ? b.unsqueeze(1) : b);
  if (b.dim() == 1) y = y.squeeze(-1);
  return a.dim() == 1 ? y.squeeze(b.dim() == 1 ? -1 : -2) : y;
}
Tensor Tensor::matmul(const Tensor& other) const { return espalier::matmul(*this, other); }

Tensor mm(const Tensor& a, const Tensor& b) {
  require<ShapeError>(a.dim() == 2 && b.dim() == 2, "mm: needs two matrices, got ", a.shape(), " and ",
                      b.shape());
  return matmul(a, b);
}

Tensor bmm(const Tensor& a, const Tensor& b) {
  require<ShapeError>(a.dim() == 3 && b.dim() == 3 && a.size(0) == b.size(0),
                      "bmm: needs two batches of as many matrices, got ", a.shape(), " and ", b.shape());
  return matmul(a, b);
}

Tensor dot(const Tensor& a, const Tensor& b) {
  require<ShapeError>(a.dim() == 1 && a.shape() == b.shape(), "dot: needs two vectors of one size, got ",
                      a.shape(), " and ", b.shape());
  Autocast off(DType::bfloat16, false);  // PyTorch's list does not have it
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  require<ShapeError>(a.dim() == 1 && b.dim() == 1, "outer: needs two vectors, got ", a.shape(), " and ",
                      b.shape());
  return a.unsqueeze(1) * b.unsqueeze(0);
}

namespace {

// A vector as a matrix of one row.
Array as_rows(const Array& a) {
  return a.rank() == 1 ? a.view({1, a.shape[0]}, {a.shape[0] * a.strides[0], a.strides[0]}, a.offset) : a;
}

Tensor product_of(const Shape& shape, const Array& a, const Array& b) {
  Array y = Array::empty(shape, a.dtype);
  if (shape.rank() > 1) {  // `y` is the only owner of its memory, so that the product may be put off
    kernels::matmul(y, a, b);
  } else {
    Array row = as_rows(y);
    kernels::matmul(row, as_rows(a), b);
  }
  return Tensor(std::move(y));
}

Tensor sum_of_rows(const Array& x) {
  int64_t columns = x.shape[1];
  Array y = Array::empty({1, columns}, x.dtype);
  kernels::sum(y, x);
  return Tensor(y.view({columns}, {1}, 0));
}

// What linear's backward gives, without the operations that it is made of where nobody asks for them.
Grads linear_backward(const Tensor& g, const Saved& x, const Saved& weight, bool to_x, bool to_weight,
                      bool to_bias) {
  Tensor rows = as_matrix(g);
  if (grad_enabled()) {
    Tensor g_bias = to_bias ? rows.sum(0) : Tensor();
    return grads(to_x ? matmul(g, weight) : Tensor(), to_weight ? matmul(rows.t(), as_matrix(x)) : Tensor(),
                 g_bias);
  }
  Tensor g_bias = to_bias ? sum_of_rows(rows.array()) : Tensor();  // first, as in conv2d
  return grads(to_x ? product_of(x->shape(), g.array(), weight->array()) : Tensor(),
               to_weight
                   ? product_of(weight->shape(), kernels::transposed(rows.array()), as_matrix(x).array())
                   : Tensor(),
               g_bias);
}

}  // namespace

Tensor linear(const Tensor& x, const Tensor& weight, const Tensor& bias) {
  if (detail::Casts to("linear", {x, weight, bias}); to) return linear(to(x), to(weight), to(bias));
  require<ShapeError>(weight.dim() == 2, "linear: the weight must be [out, in], got ", weight.shape());
  int64_t in = weight.size(1), out = weight.size(0);
  require<ShapeError>(x.dim() >= 1 && x.shape().back() == in, "expected ", in, " input features, got ",
                      x.dim() == 0 ? 0 : x.shape().back(), "; the input is ", x.shape());
  require<ShapeError>(!bias.defined() || bias.shape() == Shape{out}, "linear: the bias must be [", out,
                      "], got ", bias.defined() ? bias.shape() : Shape());
  check_dtypes("linear", x, weight);
  if (bias.defined()) check_dtypes("linear", x, bias);
  Shape shape = x.shape();
  shape[shape.rank() - 1] = out;
  Array y = Array::empty(shape, x.dtype());
  Array rows = as_rows(y);
  kernels::matmul(rows, as_rows(x.array()), kernels::transposed(weight.array()),
                  bias.defined() ? &bias.array() : nullptr);
  return record("linear", {x, weight, bias}, std::move(y), {},
                [x = saved(x), weight = saved(weight), to_x = x.requires_grad(),
                 to_weight = weight.requires_grad(), to_bias = bias.requires_grad()](const Tensor& g) {
                  return linear_backward(g, x, weight, to_x, to_weight, to_bias);
                });
}

void set_bf16x3(bool on) { kernels::set_bf16x3(on); }
bool bf16x3() { return kernels::bf16x3(); }

}  // namespace espalier
