// The same as seed_cnn.cpp in LibTorch. Usage: seed_cnn_libtorch sgd|adam STEPS THREADS [channels_last]
#include <cstdlib>
#include <string>

#include <torch/torch.h>

#include "step_time.h"

namespace nn = torch::nn;
namespace optim = torch::optim;
using torch::Tensor;

struct CnnImpl : nn::Module {
  nn::Conv2d conv{nn::Conv2dOptions(3, 32, 3).padding(1)};
  nn::ReLU relu;
  nn::Linear fc{32 * 32 * 32, 10};

  CnnImpl() {
    register_module("conv", conv);
    register_module("relu", relu);
    register_module("fc", fc);
  }
  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};
TORCH_MODULE(Cnn);

void measure(Cnn& model, optim::Optimizer&& optimizer, int steps, bool channels_last) {
  Tensor x = torch::randn({64, 3, 32, 32}), y = torch::randint(0, 10, {64}, torch::kLong);
  if (channels_last) {
    x = x.contiguous(torch::MemoryFormat::ChannelsLast);
    model->conv->weight.set_data(model->conv->weight.contiguous(torch::MemoryFormat::ChannelsLast));
  }
  print_step_time(steps, [&] {
    optimizer.zero_grad();
    nn::functional::cross_entropy(model(x), y).backward();
    optimizer.step();
  });
}

int main(int argc, char** argv) {
  if (argc < 4)
    return std::fputs("usage: seed_cnn_libtorch sgd|adam STEPS THREADS [channels_last]\n", stderr), 2;
  int steps = std::atoi(argv[2]);
  torch::set_num_threads(std::atoi(argv[3]));
  torch::manual_seed(0);
  Cnn model;
  if (argv[1] == std::string("sgd")) {
    measure(model, optim::SGD(model->parameters(), optim::SGDOptions(1e-3).momentum(0.9)), steps, argc > 4);
  } else {
    measure(model, optim::Adam(model->parameters(), optim::AdamOptions(1e-4)), steps, argc > 4);
  }
}
