// The same in LibTorch.
#include <iostream>

#include <torch/torch.h>

namespace nn = torch::nn;
using torch::Tensor;

struct Cnn : nn::Module {
  nn::Conv2d conv = register_module("conv", nn::Conv2d(nn::Conv2dOptions(3, 32, 3).padding(1)));
  nn::Linear fc = register_module("fc", nn::Linear(32 * 32 * 32, 10));

  Tensor forward(const Tensor& x) { return fc(torch::relu(conv(x)).flatten(1)); }
};

int main() {
  torch::NoGradGuard no_grad;
  Cnn model;
  std::cout << model.forward(torch::randn({1, 3, 32, 32})) << "\n";
}
