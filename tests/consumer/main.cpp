#include <iostream>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::Tensor;

struct Net : nn::Module<Net> {
  nn::Linear hidden{4, 8};
  nn::ReLU relu;
  nn::Linear out{8, 2};

  Tensor forward(const Tensor& x) { return out(relu(hidden(x))); }
};

int main() {
  espalier::manual_seed(0);
  Net model;
  optim::SGD optimizer(model.parameters(), {.lr = 0.1});
  Tensor x = espalier::randn({16, 4}), y = espalier::randn({16, 2});
  float losses[2];
  for (float& loss_value : losses) {
    optimizer.zero_grad();
    Tensor loss = nn::mse_loss(model(x), y);
    loss.backward();
    optimizer.step();
    loss_value = loss.item<float>();
  }
  std::cout << "espalier " << espalier::version() << ": loss " << losses[0] << ", then " << losses[1] << '\n';
  return losses[1] < losses[0] ? 0 : 1;
}
