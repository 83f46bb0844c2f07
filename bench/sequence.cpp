// The time of a training step of a recurrent or attention model: LSTM and GRU with 128 hidden features,
// sequences of 64, batch 32; a Transformer encoder of width 256 with 4 heads and 4 layers, length 128, batch
// 16. Usage: sequence lstm|gru|encoder STEPS THREADS
#include <cstdlib>
#include <string>

#include <espalier/espalier.h>

#include "step_time.h"

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::Tensor;

template <class Layer>
struct Recurrent : nn::Module<Recurrent<Layer>> {
  Layer layer{128, 128, {.batch_first = true}};
  nn::Linear fc{128, 10};

  Tensor forward(const Tensor& x) { return fc(layer(x).first.select(1, -1)); }
};

struct Encoder : nn::Module<Encoder> {
  nn::TransformerEncoder encoder{
      nn::TransformerEncoderLayer(256, 4, {.dim_feedforward = 1024, .dropout = 0, .batch_first = true}), 4};
  nn::Linear fc{256, 10};

  Tensor forward(const Tensor& x) { return fc(encoder(x).mean(1)); }
};

template <class Model>
void measure(Model model, const espalier::Shape& input, int steps) {
  Tensor x = espalier::randn(input), y = espalier::randint(0, 10, {input[0]});
  optim::Adam optimizer(model.parameters(), {.lr = 1e-4});
  print_step_time(steps, [&] {
    optimizer.zero_grad();
    nn::cross_entropy(model(x), y).backward();
    optimizer.step();
  });
}

int main(int argc, char** argv) {
  if (argc != 4) return std::fputs("usage: sequence lstm|gru|encoder STEPS THREADS\n", stderr), 2;
  std::string what = argv[1];
  int steps = std::atoi(argv[2]);
  espalier::set_num_threads(std::atoi(argv[3]));
  espalier::manual_seed(0);
  if (what == "lstm") measure(Recurrent<nn::LSTM>(), {32, 64, 128}, steps);
  else if (what == "gru") measure(Recurrent<nn::GRU>(), {32, 64, 128}, steps);
  else measure(Encoder(), {16, 128, 256}, steps);
}
