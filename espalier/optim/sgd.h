#pragma once

#include <espalier/optim/optimizer.h>

namespace espalier::optim {

struct SGDOptions {
  double lr = 1e-3;
  double momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
};

// Gradient descent: buffer ← momentum · buffer + (1 - dampening) · grad, parameter ← parameter - lr · buffer.
class SGD final : public Optimizer {
 public:
  SGD(nn::Parameters parameters, const SGDOptions& options = {});
  SGD(std::vector<ParamGroup> groups, const SGDOptions& options = {});
};

}  // namespace espalier::optim
