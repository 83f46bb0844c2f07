// The works in Espalier, written as a user writes them.
#include <memory>
#include <optional>

#include <espalier/espalier.h>

#include "contestant.h"

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::Shape;
using espalier::Tensor;

namespace {

nn::Conv2d conv3(int64_t in, int64_t out) { return {in, out, 3, {.padding = 1}}; }

struct Vgg : nn::Module<Vgg> {  // W2
  nn::Sequential features{conv3(3, 32),        nn::BatchNorm2d{32}, nn::ReLU{},       conv3(32, 32),
                          nn::BatchNorm2d{32}, nn::ReLU{},          nn::MaxPool2d{2}, conv3(32, 64),
                          nn::BatchNorm2d{64}, nn::ReLU{},          nn::MaxPool2d{2}};
  nn::Sequential classifier{nn::Linear{64 * 8 * 8, 128}, nn::ReLU{}, nn::Linear{128, 10}};

  Tensor forward(const Tensor& x) { return classifier(features(x).flatten(1)); }
};

struct Block : nn::Module<Block> {
  int64_t in, out, stride = 1;
  nn::Conv2d conv1{in, out, 3, {.stride = stride, .padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{out};
  nn::Conv2d conv2{out, out, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{out};
  std::optional<nn::Sequential> shortcut = make_shortcut();

  Tensor forward(const Tensor& x) {
    Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
    return relu(y + (shortcut ? (*shortcut)(x) : x));
  }
  std::optional<nn::Sequential> make_shortcut() const {
    if (stride == 1 && in == out) return {};
    return nn::Sequential{nn::Conv2d{in, out, 1, {.stride = stride, .bias = false}}, nn::BatchNorm2d{out}};
  }
};

struct ResNet18 : nn::Module<ResNet18> {  // W3
  nn::Conv2d conv1{3, 64, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{64};
  nn::Sequential blocks{Block{.in = 64, .out = 64},
                        Block{.in = 64, .out = 64},
                        Block{.in = 64, .out = 128, .stride = 2},
                        Block{.in = 128, .out = 128},
                        Block{.in = 128, .out = 256, .stride = 2},
                        Block{.in = 256, .out = 256},
                        Block{.in = 256, .out = 512, .stride = 2},
                        Block{.in = 512, .out = 512}};
  nn::Linear fc{512, 10};

  Tensor forward(const Tensor& x) {
    return fc(adaptive_avg_pool2d(blocks(relu(bn1(conv1(x)))), 1).flatten(1));
  }
};

struct Mlp : nn::Module<Mlp> {  // W4
  nn::Sequential layers{nn::Linear{784, 512}, nn::ReLU{}, nn::Linear{512, 512}, nn::ReLU{},
                        nn::Linear{512, 10}};

  Tensor forward(const Tensor& x) { return layers(x); }
};

struct Tiny : nn::Module<Tiny> {  // W5
  nn::Linear fc1{2, 16}, fc2{16, 1};

  Tensor forward(const Tensor& x) { return fc2(tanh(fc1(x))); }
};

enum class Rule { kSgd, kAdam };

optim::Optimizer optimizer_for(const nn::Parameters& parameters, Rule rule) {
  if (rule == Rule::kAdam) return optim::Adam(parameters, {.lr = 1e-4});
  return optim::SGD(parameters, {.lr = 1e-3, .momentum = 0.9});
}

Tensor loss(const Tensor& out, const Tensor& y) {
  return y.dtype() == espalier::int64 ? nn::cross_entropy(out, y) : nn::mse_loss(out, y);
}

template <class Model>
bench::Step train(std::shared_ptr<Model> model, Rule rule, const Tensor& x, const Tensor& y) {
  auto optimizer = std::make_shared<optim::Optimizer>(optimizer_for(model->parameters(), rule));
  return [=] {
    optimizer->zero_grad();
    loss((*model)(x), y).backward();
    optimizer->step();
  };
}

// A model from batches of `input` to `classes` logits, or to one number when there are none.
template <class Model>
bench::Step make(const bench::Request& request, Rule rule, Shape input, int64_t classes = 10) {
  if (request.bfloat16()) return {};
  auto model = std::make_shared<Model>();
  input.insert(0, request.batch);
  Tensor x = espalier::randn(input);
  if (request.train()) {
    Tensor y = classes ? espalier::randint(0, classes, {request.batch}) : espalier::randn({request.batch, 1});
    return train(model, rule, x, y);
  }
  model->eval();
  return [=] {
    espalier::NoGrad no_grad;
    (*model)(x);
  };
}

// A hundred small additions and their way back.
bench::Step tape() {
  Tensor x = espalier::randn({16}).requires_grad_(true);
  return [x]() mutable {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y + x;
    x.set_grad({});
    y.sum().backward();
  };
}

bench::Step prepare(const bench::Request& request) {
  espalier::set_num_threads(request.threads);
  espalier::manual_seed(0);
  const std::string& work = request.work;
  if (work == "W1") return make<espalier::models::SeedCnn>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W2") return make<Vgg>(request, Rule::kAdam, {3, 32, 32});
  if (work == "W3") return make<ResNet18>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W4") return make<Mlp>(request, Rule::kAdam, {784});
  if (work == "W5") return make<Tiny>(request, Rule::kSgd, {2}, 0);
  if (work == "tape" && request.train() && !request.bfloat16()) return tape();
  return {};
}

}  // namespace

int main(int argc, char** argv) { return bench::serve(argc, argv, prepare); }
