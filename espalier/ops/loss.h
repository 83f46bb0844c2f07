#pragma once

#include <espalier/autograd/tensor.h>

// Losses: how far an output is from its target. Inputs are floating point (DTypeError); shapes that do not
// fit are a ShapeError, settings outside their range a ValueError.
namespace espalier {

// What is made of the losses of the elements: their mean, their sum, or nothing.
enum class Reduction : uint8_t { mean, sum, none };
const char* name(Reduction r);

struct NllLossOptions {
  Tensor weight = {};  // [C], a factor for each class; no gradient flows to it
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
};
// -log_probs at the label of each position: log_probs is [N, C, d…] or [C], target [N, d…] or [] with labels
// in int64, int32 or uint8. Positions whose label is ignore_index give 0 and do not count. The mean is over
// the weights of the labels that count; it is NaN when none does (the sum is 0). A label outside of 0 … C - 1
// is an IndexError.
Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options = {});

struct CrossEntropyOptions {
  Tensor weight = {};
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;  // the share of the target that is spread evenly over all classes; 0 to 1
};
// nll_loss of log_softmax(x) over the classes. A floating point target has the shape of x and holds the
// probabilities of the classes; then ignore_index means nothing, and the mean is over all positions.
Tensor cross_entropy(const Tensor& x, const Tensor& target, const CrossEntropyOptions& options = {});

// For the following, x and target have the same shape: nothing is broadcast.
struct LossOptions {
  Reduction reduction = Reduction::mean;
};
Tensor mse_loss(const Tensor& x, const Tensor& target, LossOptions options = {});  // (x - target)²
Tensor l1_loss(const Tensor& x, const Tensor& target, LossOptions options = {});   // |x - target|

struct BceWithLogitsOptions {
  Tensor weight = {};  // a factor for each loss
  Reduction reduction = Reduction::mean;
  Tensor pos_weight = {};  // a factor for the target's share; like the weight it broadcasts to the shape of x
};
// -(pos_weight target log(p) + (1 - target) log(1 - p)) with p = sigmoid(x), exact for any x.
Tensor binary_cross_entropy_with_logits(const Tensor& x, const Tensor& target,
                                        const BceWithLogitsOptions& options = {});

}  // namespace espalier
