#pragma once

#include <array>

#include <espalier/optim/optimizer.h>

namespace espalier::optim {

struct AdamOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8, weight_decay = 0;
  bool amsgrad = false, maximize = false;
};

// Adam (Kingma and Ba 2015). Weight decay is added to the gradient.
class Adam final : public Optimizer {
 public:
  Adam(nn::Parameters parameters, const AdamOptions& options = {});
  Adam(std::vector<ParamGroup> groups, const AdamOptions& options = {});
};

struct AdamWOptions {
  double lr = 1e-3;
  std::array<double, 2> betas = {0.9, 0.999};
  double eps = 1e-8, weight_decay = 0.01;
  bool amsgrad = false, maximize = false;
};

// Adam with decoupled weight decay (Loshchilov and Hutter 2019): it shrinks the parameter itself.
class AdamW final : public Optimizer {
 public:
  AdamW(nn::Parameters parameters, const AdamWOptions& options = {});
  AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options = {});
};

}  // namespace espalier::optim
