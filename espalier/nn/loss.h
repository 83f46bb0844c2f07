#pragma once

#include <espalier/nn/module.h>
#include <espalier/ops/loss.h>

// Losses as modules, called with the model's output and the target; what they compute stands at the functions
// (ops/loss.h). Weights are part of the state_dict.
namespace espalier::nn {

struct CrossEntropyLoss : Module<CrossEntropyLoss> {
  Buffer weight{};
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  double label_smoothing = 0;
  Tensor forward(const Tensor& x, const Tensor& target) const;
};

struct NLLLoss : Module<NLLLoss> {
  Buffer weight{};
  int64_t ignore_index = -100;
  Reduction reduction = Reduction::mean;
  Tensor forward(const Tensor& log_probabilities, const Tensor& target) const;
};

struct MSELoss : Module<MSELoss> {
  Reduction reduction = Reduction::mean;
  Tensor forward(const Tensor& x, const Tensor& target) const;
};

struct L1Loss : Module<L1Loss> {
  Reduction reduction = Reduction::mean;
  Tensor forward(const Tensor& x, const Tensor& target) const;
};

struct BCEWithLogitsLoss : Module<BCEWithLogitsLoss> {
  Buffer weight{};
  Reduction reduction = Reduction::mean;
  Buffer pos_weight{};
  Tensor forward(const Tensor& x, const Tensor& target) const;
};

}  // namespace espalier::nn
