#include <espalier/nn/loss.h>

namespace espalier::nn {

Tensor CrossEntropyLoss::forward(const Tensor& x, const Tensor& target) const {
  return cross_entropy(x, target,
                       {.weight = weight,
                        .ignore_index = ignore_index,
                        .reduction = reduction,
                        .label_smoothing = label_smoothing});
}

Tensor NLLLoss::forward(const Tensor& log_probabilities, const Tensor& target) const {
  return nll_loss(log_probabilities, target,
                  {.weight = weight, .ignore_index = ignore_index, .reduction = reduction});
}

Tensor MSELoss::forward(const Tensor& x, const Tensor& target) const {
  return mse_loss(x, target, {.reduction = reduction});
}

Tensor L1Loss::forward(const Tensor& x, const Tensor& target) const {
  return l1_loss(x, target, {.reduction = reduction});
}

Tensor BCEWithLogitsLoss::forward(const Tensor& x, const Tensor& target) const {
  return binary_cross_entropy_with_logits(
      x, target, {.weight = weight, .reduction = reduction, .pos_weight = pos_weight});
}

}  // namespace espalier::nn
