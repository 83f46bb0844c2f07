// The training loop by hand, as in PyTorch.
#include <iostream>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
namespace optim = espalier::optim;
namespace data = espalier::data;
using espalier::Tensor;

int main() {
  espalier::manual_seed(0);
  nn::Sequential model{nn::Flatten{}, nn::Linear{784, 128}, nn::ReLU{}, nn::Linear{128, 10}};
  data::DataLoader loader(data::fashion_mnist().train, {.batch_size = 128, .shuffle = true});
  optim::SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9});
  int step = 0;
  for (auto& [x, y] : loader) {
    optimizer.zero_grad();
    Tensor loss = nn::cross_entropy(model(x), y);
    loss.backward();
    optimizer.step();
    if (++step % 100 == 0) std::cout << "step " << step << "  loss " << loss.item<float>() << "\n";
  }
}
