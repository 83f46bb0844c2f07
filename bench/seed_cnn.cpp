// The time of a training step of the small CNN. Usage: seed_cnn sgd|adam STEPS THREADS
#include <cstdlib>
#include <string>

#include <espalier/espalier.h>

#include "step_time.h"

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::Tensor;

struct Cnn : nn::Module<Cnn> {
  nn::Conv2d conv{3, 32, 3, {.padding = 1}};
  nn::ReLU relu;
  nn::Linear fc{32 * 32 * 32, 10};

  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

template <class Optimizer>
void measure(Cnn& model, Optimizer optimizer, int steps) {
  Tensor x = espalier::randn({64, 3, 32, 32}), y = espalier::randint(0, 10, {64});
  print_step_time(steps, [&] {
    optimizer.zero_grad();
    nn::cross_entropy(model(x), y).backward();
    optimizer.step();
  });
}

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: seed_cnn sgd|adam STEPS THREADS\n", stderr), 2;
  int steps = std::atoi(argv[2]);
  espalier::set_num_threads(std::atoi(argv[3]));
  espalier::manual_seed(0);
  Cnn model;
  if (argv[1] == std::string("sgd")) {
    measure(model, optim::SGD(model.parameters(), {.lr = 1e-3, .momentum = 0.9}), steps);
  } else {
    measure(model, optim::Adam(model.parameters(), {.lr = 1e-4}), steps);
  }
}
