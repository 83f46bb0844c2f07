#include <espalier/ops/loss.h>

#include <espalier/autograd/autocast.h>
#include <espalier/kernels/reduce.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/elementwise.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/labels.h>

namespace espalier {

using detail::check_floating;
using detail::reduced;
using detail::saved_if;

const char* name(Reduction r) { return r == Reduction::mean ? "mean" : r == Reduction::sum ? "sum" : "none"; }

Tensor detail::reduced(const Tensor& losses, Reduction reduction, double total) {
  if (reduction == Reduction::none) return losses;
  Tensor sum = losses.sum();
  return reduction == Reduction::sum ? sum : sum / total;
}

namespace {

void check_same_shape(const char* op, const Tensor& x, const Tensor& target) {
  require<ShapeError>(x.shape() == target.shape(), op, ": the input is ", x.shape(), " and the target ",
                      target.shape(), "; they must have the same shape (use reshape or unsqueeze)");
}

Tensor mean_or_sum(const Tensor& losses, Reduction reduction) {
  return reduced(losses, reduction, static_cast<double>(losses.numel()));
}

void check_factor(const char* what, const Tensor& factor, const Tensor& x) {
  const char* op = "binary_cross_entropy_with_logits";
  if (!factor.defined()) return;
  require<ShapeError>(broadcast_shapes(op, factor.shape(), x.shape()) == x.shape(), op, ": the ", what,
                      " of shape ", factor.shape(), " does not broadcast to the input's ", x.shape());
}

// The losses of the elements.
Tensor bce_with_logits(const Tensor& x, const Tensor& target, const Tensor& pos_weight) {
  bool weighted = pos_weight.defined();
  DType dtype = detail::result_type(x, target);
  Array y = detail::result("binary_cross_entropy_with_logits", x, target, dtype);
  kernels::Operand factor = weighted ? kernels::Operand(pos_weight.array()) : Scalar(1.0);
  kernels::elementwise(kernels::bce_with_logits, kernels::compute_type(dtype), y,
                       {x.array(), target.array(), factor});
  bool dx = x.requires_grad(), dt = target.requires_grad(), dp = weighted && pos_weight.requires_grad();
  return record(
      "binary_cross_entropy_with_logits", {x, target, pos_weight}, y, {},
      [x = saved(x), t = saved(target), p = saved(pos_weight), dx, dt, dp](const Tensor& g) {
        Tensor gx, gt, gp, positive = dt || dp ? softplus(-*x, {.threshold = 40}) : Tensor();  // -log(p)
        bool weighted = p->defined();
        if (dx) gx = weighted ? g * (x->sigmoid() * (1 + (*p - 1) * *t) - *p * *t) : g * (x->sigmoid() - *t);
        if (dt) gt = weighted ? g * ((*p - 1) * positive - *x) : -(g * *x);
        if (dp) gp = g * *t * positive;
        return grads(gx, gt, gp);
      });
}

// d · g · factor in one pass, for g of one element.
Tensor times(const Array& d, const Tensor& g, double factor) {
  Array y = Array::empty_like(d);
  if (nothing_to_do(y)) return Tensor(y);
  kernels::elementwise(kernels::mul, kernels::compute_type(d.dtype), y,
                       {d, Scalar(g.item<double>() * factor)});
  return Tensor(y);
}

// The sum of the squares of x - target over `divisor`, in two passes that make one operation.
Tensor squared_error(const Tensor& x, const Tensor& target, Reduction reduction, double divisor) {
  Array d = detail::result("mse_loss", x, target, detail::result_type(x, target));
  kernels::elementwise(kernels::sub, kernels::compute_type(d.dtype), d, {x.array(), target.array()});
  Array y = Array::empty(Shape::filled(d.rank(), 1), d.dtype);
  kernels::sum_of_squares(y, d, nullptr, divisor, false);
  return record("mse_loss", {x, target}, y.view({}, {}, 0), {{"reduction", name(reduction)}},
                [x = saved(x), target = saved(target), d, divisor, dx = x.requires_grad(),
                 dt = target.requires_grad()](const Tensor& g) {
                  Tensor gx =
                      grad_enabled() ? (*x - *target) * (g * (2 / divisor)) : times(d, g, 2 / divisor);
                  return grads(dx ? gx : Tensor(), dt ? -gx : Tensor());
                });
}

}  // namespace

Tensor mse_loss(const Tensor& x, const Tensor& target, LossOptions options) {
  if (detail::Casts to("mse_loss", {x, target}); to) return mse_loss(to(x), to(target), options);
  check_floating("mse_loss", x);
  check_same_shape("mse_loss", x, target);
  if (options.reduction == Reduction::none) return (x - target).square();
  double divisor = options.reduction == Reduction::mean ? static_cast<double>(x.numel()) : 1;
  return squared_error(x, target, options.reduction, divisor);
}

Tensor l1_loss(const Tensor& x, const Tensor& target, LossOptions options) {
  if (detail::Casts to("l1_loss", {x, target}); to) return l1_loss(to(x), to(target), options);
  check_floating("l1_loss", x);
  check_same_shape("l1_loss", x, target);
  return mean_or_sum((x - target).abs(), options.reduction);
}

Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BceWithLogitsOptions& options) {
  if (detail::Casts to("binary_cross_entropy_with_logits", {x, target}); to) {
    return binary_cross_entropy_with_logits(to(x), to(target), options);
  }
  check_floating("binary_cross_entropy_with_logits", x);
  check_same_shape("binary_cross_entropy_with_logits", x, target);
  check_factor("weight", options.weight, x);
  check_factor("pos_weight", options.pos_weight, x);
  Tensor losses = bce_with_logits(x, target, options.pos_weight);
  return mean_or_sum(options.weight.defined() ? losses * options.weight : losses, options.reduction);
}

}  // namespace espalier
