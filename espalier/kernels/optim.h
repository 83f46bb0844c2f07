#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

// One update of one parameter in a single pass. Arrays have the parameter's dtype and dense memory order; a
// kernel does the elements [begin, end) of that order.
namespace espalier::kernels {

struct SgdPart {
  Array parameter, grad;
  Array buffer;  // zeros before its first use; not read when momentum is 0
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
};
inline constinit Kernel<void(const SgdPart&, int64_t, int64_t)> sgd;

struct AdamPart {
  Array parameter, grad, exp_avg, exp_avg_sq;
  Array max_exp_avg_sq;  // with amsgrad only
  double step_size;      // lr / (1 - beta1^step)
  double bias2_sqrt;     // sqrt(1 - beta2^step)
  double beta1, beta2, eps;
  double weight_decay;  // added to the gradient
  double shrink;        // factor of the parameter: 1, or 1 - lr · decay where decay is decoupled
  bool amsgrad, maximize;
};
inline constinit Kernel<void(const AdamPart&, int64_t, int64_t)> adam;

}  // namespace espalier::kernels
