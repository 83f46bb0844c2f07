// A user's file: W1 and its first forward pass.
#include <iostream>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
using espalier::Tensor;

struct Cnn : nn::Module<Cnn> {
  nn::Conv2d conv{3, 32, 3, {.padding = 1}};
  nn::Linear fc{32 * 32 * 32, 10};

  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

int main() {
  espalier::NoGrad no_grad;
  Cnn model;
  std::cout << model(espalier::randn({1, 3, 32, 32})) << "\n";
}
