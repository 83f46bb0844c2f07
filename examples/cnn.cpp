// A model is a struct. It is trained on real images, saved, and used again.
#include <iostream>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
namespace optim = espalier::optim;
namespace data = espalier::data;
using espalier::Tensor;

struct Cnn : nn::Module<Cnn> {                // its members are its layers
  nn::Conv2d conv{3, 32, 3, {.padding = 1}};  // nn.Conv2d(3, 32, 3, padding=1)
  nn::ReLU relu;
  nn::Linear fc{32 * 32 * 32, 10};

  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

int main() {
  espalier::manual_seed(0);
  Cnn model;
  std::cout << model << "\n" << model.summary({64, 3, 32, 32}) << "\n";

  auto fashion = data::fashion_mnist();  // Debian's package dataset-fashion-mnist
  espalier::train::fit(
      model, fashion.train,
      {.epochs = 2,
       .batch_size = 64,
       .validation = &fashion.test,
       .optimizer = optim::Adam(model.parameters(), {.lr = 1e-3}),
       .transform = {data::Pad{2}, data::RepeatChannels{3}, data::ToFloat{}, data::Normalize{{0.5}, {0.5}}}});

  model.save("cnn.safetensors");  // loads in Python as a PyTorch state_dict
  Cnn again;
  again.load("cnn.safetensors");
}
