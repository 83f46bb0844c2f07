// The same works in LibTorch. Usage: libtorch [channels_last] [--smoke]
#include <memory>
#include <string_view>

#include <ATen/autocast_mode.h>
#include <torch/torch.h>

#include "contestant.h"

namespace nn = torch::nn;
namespace optim = torch::optim;
using torch::Tensor;

namespace {

bool channels_last = false;

nn::Conv2dOptions conv3(int64_t in, int64_t out) { return nn::Conv2dOptions(in, out, 3).padding(1); }

struct Cnn : nn::Module {  // W1
  nn::Conv2d conv = register_module("conv", nn::Conv2d(conv3(3, 32)));
  nn::Linear fc = register_module("fc", nn::Linear(32 * 32 * 32, 10));

  Tensor forward(const Tensor& x) { return fc(torch::relu(conv(x)).flatten(1)); }
};

struct Vgg : nn::Module {  // W2
  nn::Sequential features =
      register_module("features", nn::Sequential(nn::Conv2d(conv3(3, 32)), nn::BatchNorm2d(32), nn::ReLU(),
                                                 nn::Conv2d(conv3(32, 32)), nn::BatchNorm2d(32), nn::ReLU(),
                                                 nn::MaxPool2d(2), nn::Conv2d(conv3(32, 64)),
                                                 nn::BatchNorm2d(64), nn::ReLU(), nn::MaxPool2d(2)));
  nn::Sequential classifier = register_module(
      "classifier", nn::Sequential(nn::Linear(64 * 8 * 8, 128), nn::ReLU(), nn::Linear(128, 10)));

  Tensor forward(const Tensor& x) { return classifier->forward(features->forward(x).flatten(1)); }
};

struct BlockImpl : nn::Module {
  BlockImpl(int64_t in, int64_t out, int64_t stride)
      : conv1(register_module("conv1", nn::Conv2d(conv3(in, out).stride(stride).bias(false)))),
        conv2(register_module("conv2", nn::Conv2d(conv3(out, out).bias(false)))),
        bn1(register_module("bn1", nn::BatchNorm2d(out))),
        bn2(register_module("bn2", nn::BatchNorm2d(out))) {
    if (stride == 1 && in == out) return;
    nn::Conv2d conv(nn::Conv2dOptions(in, out, 1).stride(stride).bias(false));
    shortcut = register_module("shortcut", nn::Sequential(conv, nn::BatchNorm2d(out)));
  }
  Tensor forward(const Tensor& x) {
    Tensor y = bn2(conv2(torch::relu(bn1(conv1(x)))));
    return torch::relu(y + (shortcut ? shortcut->forward(x) : x));
  }

  nn::Conv2d conv1, conv2;
  nn::BatchNorm2d bn1, bn2;
  nn::Sequential shortcut{nullptr};
};
TORCH_MODULE(Block);

struct ResNet18 : nn::Module {  // W3
  nn::Conv2d conv1 = register_module("conv1", nn::Conv2d(conv3(3, 64).bias(false)));
  nn::BatchNorm2d bn1 = register_module("bn1", nn::BatchNorm2d(64));
  nn::Sequential blocks =
      register_module("blocks", nn::Sequential(Block(64, 64, 1), Block(64, 64, 1), Block(64, 128, 2),
                                               Block(128, 128, 1), Block(128, 256, 2), Block(256, 256, 1),
                                               Block(256, 512, 2), Block(512, 512, 1)));
  nn::Linear fc = register_module("fc", nn::Linear(512, 10));

  Tensor forward(const Tensor& x) {
    Tensor y = blocks->forward(torch::relu(bn1(conv1(x))));
    return fc(torch::adaptive_avg_pool2d(y, {1, 1}).flatten(1));
  }
};

struct Mlp : nn::Module {  // W4
  nn::Sequential layers =
      register_module("layers", nn::Sequential(nn::Linear(784, 512), nn::ReLU(), nn::Linear(512, 512),
                                               nn::ReLU(), nn::Linear(512, 10)));

  Tensor forward(const Tensor& x) { return layers->forward(x); }
};

struct Tiny : nn::Module {  // W5
  nn::Linear fc1 = register_module("fc1", nn::Linear(2, 16));
  nn::Linear fc2 = register_module("fc2", nn::Linear(16, 1));

  Tensor forward(const Tensor& x) { return fc2(torch::tanh(fc1(x))); }
};

struct Lstm : nn::Module {  // W6
  nn::LSTM lstm = register_module("lstm", nn::LSTM(nn::LSTMOptions(128, 128).batch_first(true)));
  nn::Linear fc = register_module("fc", nn::Linear(128, 10));

  Tensor forward(const Tensor& x) { return fc(std::get<0>(lstm(x)).select(1, -1)); }
};

struct Encoder : nn::Module {  // W6; LibTorch's takes the sequence first
  nn::TransformerEncoderLayerOptions layer =
      nn::TransformerEncoderLayerOptions(256, 4).dim_feedforward(1024).dropout(0);
  nn::TransformerEncoder encoder =
      register_module("encoder", nn::TransformerEncoder(nn::TransformerEncoderOptions(layer, 4)));
  nn::Linear fc = register_module("fc", nn::Linear(256, 10));

  Tensor forward(const Tensor& x) { return fc(encoder(x.transpose(0, 1)).mean(0)); }
};

enum class Rule { kSgd, kAdam };

std::shared_ptr<optim::Optimizer> optimizer_for(const nn::Module& model, Rule rule) {
  if (rule == Rule::kAdam) return std::make_shared<optim::Adam>(model.parameters(), optim::AdamOptions(1e-4));
  return std::make_shared<optim::SGD>(model.parameters(), optim::SGDOptions(1e-3).momentum(0.9));
}

Tensor loss(const Tensor& out, const Tensor& y) {
  return y.dtype() == torch::kLong ? nn::functional::cross_entropy(out, y) : nn::functional::mse_loss(out, y);
}

// While one lives, what profits from it computes in bfloat16.
struct Autocast {
  explicit Autocast(bool on) {
    at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
    at::autocast::set_autocast_enabled(at::kCPU, on);
  }
  ~Autocast() {
    at::autocast::clear_cache();
    at::autocast::set_autocast_enabled(at::kCPU, false);
  }
};

template <class Model>
bench::Step train(std::shared_ptr<Model> model, Rule rule, const Tensor& x, const Tensor& y, bool bfloat16) {
  auto optimizer = optimizer_for(*model, rule);
  return [=] {
    optimizer->zero_grad();
    Tensor l;
    {
      Autocast autocast(bfloat16);
      l = loss(model->forward(x), y);
    }
    l.backward();
    optimizer->step();
  };
}

// A model from batches of `input` to `classes` logits, or to one number when there are none.
template <class Model>
bench::Step make(const bench::Request& request, Rule rule, std::vector<int64_t> input, int64_t classes = 10) {
  auto model = std::make_shared<Model>();
  input.insert(input.begin(), request.batch);
  Tensor x = torch::randn(input);
  if (channels_last && x.dim() == 4) {
    auto order = torch::MemoryFormat::ChannelsLast;
    x = x.contiguous(order);
    for (Tensor& p : model->parameters())
      if (p.dim() == 4) p.set_data(p.data().contiguous(order));
  }
  bool bfloat16 = request.bfloat16();
  if (request.train()) {
    Tensor y =
        classes ? torch::randint(classes, {request.batch}, torch::kLong) : torch::randn({request.batch, 1});
    return train(model, rule, x, y, bfloat16);
  }
  model->eval();
  return [=] {
    torch::InferenceMode guard;
    Autocast autocast(bfloat16);
    model->forward(x);
  };
}

// A hundred small additions and their way back.
bench::Step tape() {
  Tensor x = torch::randn({16}).requires_grad_(true);
  return [x]() mutable {
    Tensor y = x;
    for (int i = 0; i < 100; ++i) y = y + x;
    x.mutable_grad().reset();
    y.sum().backward();
  };
}

bench::Step prepare(const bench::Request& request) {
  torch::set_num_threads(request.threads);
  torch::manual_seed(0);
  const std::string& work = request.work;
  if (work == "W1") return make<Cnn>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W2") return make<Vgg>(request, Rule::kAdam, {3, 32, 32});
  if (work == "W3") return make<ResNet18>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W4") return make<Mlp>(request, Rule::kAdam, {784});
  if (work == "W5") return make<Tiny>(request, Rule::kSgd, {2}, 0);
  if (work == "W6-lstm") return make<Lstm>(request, Rule::kAdam, {64, 128});
  if (work == "W6-encoder") return make<Encoder>(request, Rule::kAdam, {128, 256});
  if (work == "tape" && request.train() && !request.bfloat16()) return tape();
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && argv[1] == std::string_view("channels_last")) channels_last = true, ++argv, --argc;
  return bench::serve(argc, argv, prepare);
}
