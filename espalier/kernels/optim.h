#pragma once

#include <espalier/core/dtype.h>
#include <espalier/kernels/dispatch.h>

// One update of one parameter in a single pass. All memory is of the parameter's dtype and in the order of
// its elements; a kernel does the elements [begin, end) of that order. Numbers below the smallest normal one
// count as 0.
namespace espalier::kernels {

struct SgdPart {
  DType dtype = DType::float32;
  int64_t count = 0;
  void* parameter = nullptr;
  const void* grad = nullptr;
  void* buffer = nullptr;  // zeros before its first use; not read when momentum is 0
  double lr = 0, momentum = 0, dampening = 0, weight_decay = 0;
  bool nesterov = false, maximize = false;
};
inline constinit Kernel<void(const SgdPart&, int64_t, int64_t)> sgd;

struct AdamPart {
  DType dtype = DType::float32;
  int64_t count = 0;
  void* parameter = nullptr;
  const void* grad = nullptr;
  void *exp_avg = nullptr, *exp_avg_sq = nullptr;
  void* max_exp_avg_sq = nullptr;  // with amsgrad only
  double step_size = 0;            // lr / (1 - beta1^step)
  double bias2_sqrt = 0;           // sqrt(1 - beta2^step)
  double beta1 = 0, beta2 = 0, eps = 0;
  double weight_decay = 0;  // added to the gradient
  double shrink = 1;        // factor of the parameter: 1, or 1 - lr · decay where decay is decoupled
  bool amsgrad = false, maximize = false;
};
inline constinit Kernel<void(const AdamPart&, int64_t, int64_t)> adam;

}  // namespace espalier::kernels
