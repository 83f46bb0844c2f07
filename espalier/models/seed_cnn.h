#pragma once

#include <espalier/nn/nn.h>

namespace espalier::models {

// A convolution, ReLU and a linear layer: [N, 3, 32, 32] images to [N, classes] logits.
struct SeedCnn : nn::Module<SeedCnn> {
  int64_t classes = 10;
  nn::Conv2d conv{3, 32, 3, {.padding = 1}};
  nn::ReLU relu;
  nn::Linear fc{32 * 32 * 32, classes};

  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

}  // namespace espalier::models
