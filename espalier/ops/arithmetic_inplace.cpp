#include <espalier/ops/arithmetic.h>
#include <espalier/ops/elementwise.h>

// add_, sub_, mul_, div_: the result is written over the first operand.
namespace espalier {
namespace {

using detail::saved_if;
using kernels::Operand;

// target = row(target, b[, c]).
void write(const kernels::Row& row, Array target, DType dtype, std::initializer_list<Operand> rest) {
  DType compute = kernels::compute_type(dtype);
  if (rest.size() == 1) kernels::elementwise(row, compute, target, {target, rest.begin()[0]});
  else kernels::elementwise(row, compute, target, {target, rest.begin()[0], rest.begin()[1]});
}

// What the backward for `other` needs: the target's values before the write.
Saved values_before(const Tensor& target, const Tensor& other) {
  return saved(grad_enabled() && other.requires_grad() ? target.clone() : Tensor());
}

Tensor& add_or_sub_(const char* op, Tensor& x, const Tensor& other, Scalar alpha, double sign) {
  DType dtype = detail::result_type(x, other);
  detail::check_fits(op, x, other.shape(), dtype);
  require<DTypeError>(sign > 0 || dtype != DType::boolean, op,
                      ": not defined for bool tensors; use logical_xor");
  require<DTypeError>(is_floating_point(dtype) || alpha.kind() != Scalar::Kind::floating, op,
                      ": tensors of integers need an integer alpha, got ", alpha.to_double());
  Scalar factor = is_floating_point(dtype) ? Scalar(sign * alpha.to_double())
                                           : Scalar(static_cast<int64_t>(sign) * alpha.to_int64());
  bool plain = alpha.to_double() == 1;
  auto run = [&] {
    Array b = detail::apart_from(x.array(), other.array());
    if (plain) write(sign > 0 ? kernels::add : kernels::sub, x.array(), dtype, {b});
    else write(kernels::add_scaled, x.array(), dtype, {b, factor});
  };
  return record_write(op, x, {x, other}, {{"alpha", alpha}}, run, [factor, plain, sign](const Tensor& g) {
    return grads(g, plain && sign > 0 ? g : g * factor);
  });
}

template <class Backward>
Tensor& number_(const char* op, const kernels::Row& row, Tensor& x, DType dtype, Scalar other,
                Backward&& backward) {
  detail::check_fits(op, x, {}, dtype);
  auto run = [&] { write(row, x.array(), dtype, {other}); };
  return record_write(op, x, {x}, {{"other", other}}, run, std::forward<Backward>(backward));
}

}  // namespace

Tensor& Tensor::add_(const Tensor& other, Scalar alpha) {
  return add_or_sub_("add_", *this, other, alpha, 1);
}
Tensor& Tensor::sub_(const Tensor& other, Scalar alpha) {
  return add_or_sub_("sub_", *this, other, alpha, -1);
}

Tensor& Tensor::mul_(const Tensor& other) {
  DType dtype = detail::result_type(*this, other);
  detail::check_fits("mul_", *this, other.shape(), dtype);
  Saved before = values_before(*this, other);
  auto run = [&] { write(kernels::mul, array(), dtype, {detail::apart_from(array(), other.array())}); };
  return record_write(
      "mul_", *this, {*this, other}, {}, run,
      [before, b = saved_if(requires_grad(), is_same(other) ? clone() : other)](const Tensor& g) {
        return grads(b->defined() ? g * *b : Tensor(), before->defined() ? g * *before : Tensor());
      });
}

Tensor& Tensor::div_(const Tensor& other) {
  DType dtype = detail::floating_type(detail::result_type(*this, other));
  detail::check_fits("div_", *this, other.shape(), dtype);
  Saved before = values_before(*this, other);
  auto run = [&] { write(kernels::div, array(), dtype, {detail::apart_from(array(), other.array())}); };
  return record_write("div_", *this, {*this, other}, {}, run,
                      [before, b = saved(is_same(other) ? clone() : other)](const Tensor& g) {
                        return grads(g / *b, before->defined() ? -(g * *before) / (*b * *b) : Tensor());
                      });
}

Tensor& Tensor::add_(Scalar other) {
  return number_("add_", kernels::add, *this, promote_types(dtype(), other), other,
                 [](const Tensor& g) { return grads(g); });
}
Tensor& Tensor::sub_(Scalar other) {
  return number_("sub_", kernels::sub, *this, promote_types(dtype(), other), other,
                 [](const Tensor& g) { return grads(g); });
}
Tensor& Tensor::mul_(Scalar other) {
  return number_("mul_", kernels::mul, *this, promote_types(dtype(), other), other,
                 [other](const Tensor& g) { return grads(g * other); });
}
Tensor& Tensor::div_(Scalar other) {
  return number_("div_", kernels::div, *this, detail::floating_type(dtype()), other,
                 [other](const Tensor& g) { return grads(g / other); });
}

}  // namespace espalier
