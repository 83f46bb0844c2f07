#include <espalier/optim/clip.h>

#include <algorithm>
#include <cmath>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>

namespace espalier::optim {
namespace {

std::vector<Tensor> gradients(const nn::Parameters& parameters) {
  std::vector<Tensor> out;
  for (auto& p : parameters) {
    if (p.grad().defined()) out.push_back(p.grad());
  }
  return out;
}

// Sum of |x|^p; the largest |x| for p = infinity.
double power_sum(const Tensor& x, double p) {
  if (x.numel() == 0) return 0;
  if (std::isinf(p)) return x.abs().amax().item<double>();
  if (p == 2) return std::pow(x.norm().item<double>(), 2);
  return x.abs().pow(p).sum().item<double>();
}

double total_norm(const std::vector<Tensor>& gradients, double p) {
  double total = 0;
  for (auto& g : gradients) {
    double part = power_sum(g, p);
    total = std::isinf(p) && !std::isnan(part) ? std::max(total, part) : total + part;
  }
  return std::isinf(p) ? total : std::pow(total, 1 / p);
}

}  // namespace

double clip_grad_norm_(const nn::Parameters& parameters, double max_norm,
                       const ClipGradNormOptions& options) {
  require<ValueError>(max_norm >= 0, "clip_grad_norm_: max_norm must be 0 or more, got ", max_norm);
  require<ValueError>(options.norm_type > 0, "clip_grad_norm_: norm_type must be above 0, got ",
                      options.norm_type);
  NoGrad guard;
  std::vector<Tensor> grads = gradients(parameters);
  double norm = total_norm(grads, options.norm_type);
  require<ValueError>(!options.error_if_nonfinite || std::isfinite(norm),
                      "clip_grad_norm_: the norm of the gradients is ", norm);
  double scale = max_norm / (norm + 1e-6);  // as PyTorch, which keeps it finite so
  if (!(scale >= 1)) {
    for (auto& g : grads) g.mul_(scale);
  }
  return norm;
}

void clip_grad_value_(const nn::Parameters& parameters, double clip_value) {
  require<ValueError>(clip_value >= 0, "clip_grad_value_: clip_value must be 0 or more, got ", clip_value);
  NoGrad guard;
  for (auto& g : gradients(parameters)) g.clamp_(-clip_value, clip_value);
}

}  // namespace espalier::optim
