#include <espalier/autograd/autocast.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/labels.h>
#include <espalier/ops/select.h>

namespace espalier {
namespace {

using detail::class_dim;
using detail::Labels;

constexpr const char* kOp = "cross_entropy";

// (softmax(x) - 1 at the label) · g, 0 where it is ignored, by differentiable operations.
Tensor gradient(const Tensor& x, const Labels& labels, const Tensor& g) {
  Tensor kept = labels.index->ne(labels.ignore).unsqueeze(class_dim(x));
  Tensor minus_labels =
      detail::nll_backward(ones(labels.index->shape(), {.dtype = x.dtype()}), labels, x.shape());
  return (where(kept, x.softmax(class_dim(x)), 0.0) + minus_labels) * g;
}

// The usual case in one pass: labels without weights, summed or averaged.
Tensor fused(const Tensor& x, const Labels& labels, Reduction reduction) {
  kernels::CrossEntropy rows{kernels::class_rows(x.array()), {}};
  rows.stats = Array::empty({rows.x.shape[0], 2}, x.dtype() == float64 ? float64 : float32);
  Array y = Array::empty({}, x.dtype());
  double divisor = reduction == Reduction::sum ? 1 : labels.total;
  kernels::cross_entropy(y, rows, labels.arrays(), divisor);
  return record(kOp, {x, *labels.index}, y, {{"ignore_index", labels.ignore}, {"reduction", name(reduction)}},
                [x = saved(x), labels, rows, divisor](const Tensor& g) {
                  if (grad_enabled()) return grads(gradient(x, labels, g / divisor));
                  Array gx = kernels::class_rows_like(x->array()), flat = kernels::class_rows(gx);
                  kernels::cross_entropy_backward(flat, g.array(), rows, labels.arrays(), divisor);
                  return grads(Tensor(gx));
                });
}

// -(weighted) sum over the classes.
Tensor minus_sum(const Tensor& log_probs, const Tensor& weight) {
  Tensor terms = log_probs;
  if (weight.defined()) {
    Shape classes = Shape::filled(log_probs.dim() - class_dim(log_probs), 1);
    classes[0] = weight.numel();
    terms = log_probs * weight.detach().to(log_probs.dtype()).reshape(classes);
  }
  return -terms.sum(class_dim(log_probs));
}

Tensor of_labels(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  Labels labels = detail::labels(kOp, x, target, o.weight, o.ignore_index);
  if (!o.weight.defined() && o.label_smoothing == 0 && o.reduction != Reduction::none) {
    return fused(x, labels, o.reduction);
  }
  Tensor log_probs = x.log_softmax(class_dim(x));
  Tensor sharp = detail::reduced(detail::nll(log_probs, labels), o.reduction, labels.total);
  if (o.label_smoothing == 0) return sharp;
  Tensor losses = masked_fill(minus_sum(log_probs, o.weight), labels.index->eq(labels.ignore), 0);
  Tensor smooth = detail::reduced(losses, o.reduction, labels.total);
  return sharp * (1 - o.label_smoothing) +
         smooth * (o.label_smoothing / static_cast<double>(x.size(class_dim(x))));
}

Tensor of_probabilities(const Tensor& x, const Tensor& target, const CrossEntropyOptions& o) {
  require<ShapeError>(x.dim() > 0 && target.shape() == x.shape(), kOp, ": the target is ", target.dtype(),
                      ", so it holds probabilities and must have the input's shape ", x.shape(), ", got ",
                      target.shape(), "; labels are int64");
  int64_t classes = x.size(class_dim(x));
  require<ShapeError>(!o.weight.defined() || o.weight.shape() == Shape{classes}, kOp,
                      ": the weight must be [", classes, "], one for each class, got ",
                      o.weight.defined() ? o.weight.shape() : Shape());
  Tensor t = target;
  if (o.label_smoothing != 0) {
    t = t * (1 - o.label_smoothing) + o.label_smoothing / static_cast<double>(classes);
  }
  Tensor losses = minus_sum(x.log_softmax(class_dim(x)) * t, o.weight);
  return detail::reduced(losses, o.reduction, static_cast<double>(losses.numel()));
}

}  // namespace

Tensor cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& options) {
  if (detail::Casts to(kOp, {x}); to) return cross_entropy(to(x), target, options);
  detail::check_floating(kOp, x);
  require<ValueError>(options.label_smoothing >= 0 && options.label_smoothing <= 1, kOp,
                      ": label_smoothing must be from 0 to 1, got ", options.label_smoothing);
  return target.is_floating_point() ? of_probabilities(x, target, options) : of_labels(x, target, options);
}

}  // namespace espalier
