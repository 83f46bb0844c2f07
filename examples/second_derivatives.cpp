// A network that is the solution of a differential equation: y'' = -y, y(0) = 0, y'(0) = 1, which is the
// sine. Its second derivative with respect to its input is part of the loss.
#include <cmath>
#include <iostream>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::grad;
using espalier::Tensor;

struct Curve : nn::Module<Curve> {
  nn::Linear hidden{1, 32}, out{32, 1};
  Tensor forward(const Tensor& t) { return out(espalier::tanh(hidden(t))); }
};

int main() {
  espalier::manual_seed(0);
  Curve curve;
  optim::Adam optimizer(curve.parameters(), {.lr = 1e-2});
  Tensor t = espalier::linspace(0, 3, 32).unsqueeze(1).requires_grad_();
  for (int step = 0; step <= 2000; ++step) {
    Tensor y = curve(t);
    Tensor dy = grad(y.sum(), {t}, {.create_graph = true})[0];
    Tensor d2y = grad(dy.sum(), {t}, {.create_graph = true})[0];
    Tensor loss = (d2y + y).square().mean() + y[0].square().sum() + (dy[0] - 1).square().sum();
    optimizer.zero_grad();
    loss.backward();
    optimizer.step();
    if (step % 500 == 0) std::cout << "step " << step << "  loss " << loss.item<float>() << "\n";
  }
  Tensor at = espalier::tensor(std::vector<float>{1}).unsqueeze(1);
  std::cout << "y(1) = " << curve(at).item<float>() << ", sin(1) = " << std::sin(1.0) << "\n";
}
