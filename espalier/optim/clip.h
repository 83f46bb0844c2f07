#pragma once

#include <espalier/nn/parameters.h>

namespace espalier::optim {

struct ClipGradNormOptions {
  double norm_type = 2;  // p of the norm; infinity for the largest absolute value
  bool error_if_nonfinite = false;
};

// Scales all gradients together so that their norm is at most max_norm; returns what it was. Parameters
// without a gradient don't count.
double clip_grad_norm_(const nn::Parameters& parameters, double max_norm,
                       const ClipGradNormOptions& options = {});

// Brings each value of each gradient into [-clip_value, clip_value].
void clip_grad_value_(const nn::Parameters& parameters, double clip_value);

}  // namespace espalier::optim
