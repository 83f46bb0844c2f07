// The works in Espalier, written as a user writes them.
#include <memory>

#include <espalier/espalier.h>

#include "contestant.h"

namespace nn = espalier::nn;
namespace optim = espalier::optim;
namespace data = espalier::data;
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

struct Mlp : nn::Module<Mlp> {  // W4
  nn::Sequential layers{nn::Linear{784, 512}, nn::ReLU{}, nn::Linear{512, 512}, nn::ReLU{},
                        nn::Linear{512, 10}};

  Tensor forward(const Tensor& x) { return layers(x); }
};

struct Tiny : nn::Module<Tiny> {  // W5
  nn::Linear fc1{2, 16}, fc2{16, 1};

  Tensor forward(const Tensor& x) { return fc2(tanh(fc1(x))); }
};

struct Lstm : nn::Module<Lstm> {  // W6
  nn::LSTM lstm{128, 128, {.batch_first = true}};
  nn::Linear fc{128, 10};

  Tensor forward(const Tensor& x) { return fc(lstm(x).first.select(1, -1)); }
};

struct Encoder : nn::Module<Encoder> {  // W6
  nn::TransformerEncoder encoder{
      nn::TransformerEncoderLayer{256, 4, {.dim_feedforward = 1024, .dropout = 0, .batch_first = true}}, 4};
  nn::Linear fc{256, 10};

  Tensor forward(const Tensor& x) { return fc(encoder(x).mean(1)); }
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
bench::Step train(std::shared_ptr<Model> model, Rule rule, const Tensor& x, const Tensor& y, bool bfloat16) {
  auto optimizer = std::make_shared<optim::Optimizer>(optimizer_for(model->parameters(), rule));
  return [=] {
    optimizer->zero_grad();
    Tensor l;
    {
      espalier::Autocast autocast(espalier::bfloat16, bfloat16);
      l = loss((*model)(x), y);
    }
    l.backward();
    optimizer->step();
  };
}

// A model from batches of `input` to `classes` logits, or to one number when there are none.
template <class Model>
bench::Step make(const bench::Request& request, Rule rule, Shape input, int64_t classes = 10) {
  auto model = std::make_shared<Model>();
  input.insert(0, request.batch);
  Tensor x = espalier::randn(input);
  if (request.train()) {
    Tensor y = classes ? espalier::randint(0, classes, {request.batch}) : espalier::randn({request.batch, 1});
    return train(model, rule, x, y, request.bfloat16());
  }
  model->eval();
  return [=, bfloat16 = request.bfloat16()] {
    espalier::NoGrad no_grad;
    espalier::Autocast autocast(espalier::bfloat16, bfloat16);
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

// An epoch of small grey images, made ready as for W1.
bench::Step loader(const bench::Request& request) {
  data::ImageDataset images{.images = espalier::zeros({2048, 1, 28, 28}, {espalier::uint8}).array(),
                            .labels = std::vector<int64_t>(2048),
                            .classes = {"any"}};
  std::vector<data::Transform> transform{data::Pad{2}, data::RepeatChannels{3}, data::ToFloat{},
                                         data::Normalize{{0.5}, {0.5}}};
  auto epoch = std::make_shared<data::DataLoader>(
      images,
      data::LoaderOptions{
          .batch_size = request.batch, .shuffle = true, .workers = request.threads, .transform = transform});
  return [epoch] {
    for (auto& batch : *epoch) static_cast<void>(batch);
  };
}

bench::Step prepare(const bench::Request& request) {
  espalier::set_num_threads(request.threads);
  espalier::manual_seed(0);
  const std::string& work = request.work;
  if (work == "W1") return make<espalier::models::SeedCnn>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W2") return make<Vgg>(request, Rule::kAdam, {3, 32, 32});
  if (work == "W3") return make<espalier::models::ResNet>(request, Rule::kSgd, {3, 32, 32});
  if (work == "W4") return make<Mlp>(request, Rule::kAdam, {784});
  if (work == "W5") return make<Tiny>(request, Rule::kSgd, {2}, 0);
  if (work == "W6-lstm") return make<Lstm>(request, Rule::kAdam, {64, 128});
  if (work == "W6-encoder") return make<Encoder>(request, Rule::kAdam, {128, 256});
  if (work == "loader" && request.train() && !request.bfloat16()) return loader(request);
  if (work == "tape" && request.train() && !request.bfloat16()) return tape();
  return {};
}

}  // namespace

int main(int argc, char** argv) { return bench::serve(argc, argv, prepare); }
