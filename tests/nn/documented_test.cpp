#include <gtest/gtest.h>

#include <map>

#include <espalier/espalier.h>

namespace nn = espalier::nn;
namespace optim = espalier::optim;
using espalier::Tensor;

// What docs/modules.md and the README show, as a user writes it. Compiled with -Wextra.
namespace {

struct Block : nn::Module<Block> {
  int in, out, stride = 1;
  nn::Conv2d conv1{in, out, 3, {.stride = stride, .padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{out};
  Tensor forward(const Tensor& x) { return relu(bn1(conv1(x))); }
};

class Head : public nn::Module<Head> {
 public:
  Head(int width, int classes) : norm(width), fc(width, classes) {}
  Tensor forward(const Tensor& x) { return fc(norm(x)); }

 private:
  nn::LayerNorm norm;
  nn::Linear fc;
  ESPALIER_FIELDS(Head, norm, fc)
};

struct Stack : nn::Module<Stack> {
  int width = 8;
  std::vector<Block> blocks = make(width);
  Tensor forward(Tensor x) {
    for (Block& block : blocks) x = block(x);
    return x;
  }
  static std::vector<Block> make(int width) {
    return {Block{.in = 3, .out = width}, Block{.in = width, .out = width}};
  }
};

struct Net : nn::Module<Net> {
  int width = 8;
  Stack stack{.width = width};
  std::map<std::string, nn::Linear> heads = {{"left", {width, 2}}, {"right", {width, 2}}};
  Head head{width, 10};
  std::optional<nn::Dropout> dropout;
  Tensor forward(const Tensor& x) { return head(stack(x).mean({2, 3})); }
};

struct Embedder : nn::Module<Embedder> {
  nn::Embedding embedding{20, 8};
  nn::Linear out{8, 20, {.bias = false}};
  Tensor forward(const Tensor& tokens) { return out(embedding(tokens)); }
};

TEST(Documented, settings_reach_the_layers) {
  Block block{.in = 3, .out = 8, .stride = 2};
  EXPECT_EQ(block(espalier::zeros({2, 3, 8, 8})).shape(), espalier::Shape({2, 8, 4, 4}));
  Net net{.width = 16};
  EXPECT_EQ(net.stack.blocks[1].bn1.num_features, 16);
  EXPECT_EQ(net.get_parameter("heads.left.weight").shape(), espalier::Shape({2, 16}));
}

TEST(Documented, the_hand_written_loop_learns) {
  espalier::manual_seed(0);
  Net model;
  optim::Adam optimizer(model.parameters(), {.lr = 1e-2});
  Tensor x = espalier::randn({8, 3, 8, 8}), y = espalier::randint(0, 10, {8});
  float first = 0, last = 0;
  for (int step = 0; step < 20; ++step) {
    optimizer.zero_grad();
    Tensor loss = nn::cross_entropy(model(x), y);
    loss.backward();
    optimizer.step();
    last = loss.item<float>();
    if (step == 0) first = last;
  }
  EXPECT_LT(last, first / 2);
}

TEST(Documented, the_best_model_is_a_copy) {
  espalier::manual_seed(0);
  Net model;
  Net best = model;
  model.head = Head(8, 10);
  model = best;
  Tensor x = espalier::randn({2, 3, 8, 8});
  model.eval(), best.eval();
  EXPECT_EQ(model(x).to_vector<float>(), best(x).to_vector<float>());
}

TEST(Documented, tied_weights_are_one_parameter) {
  Embedder model;
  model.out.weight.tie(model.embedding.weight);
  EXPECT_EQ(model.parameters().size(), 1u);
  Embedder copy = model;
  EXPECT_EQ(copy.parameters().size(), 1u);
  EXPECT_EQ(copy.state_dict().size(), 2u);
}

TEST(Documented, a_sequence_takes_layers_of_any_type) {
  nn::Sequential net{nn::Conv2d{3, 8, 3}, nn::ReLU{}, nn::MaxPool2d{2}, nn::Flatten{}, nn::Linear{72, 2}};
  EXPECT_EQ(net[0].as<nn::Conv2d>()->out_channels, 8);
  EXPECT_EQ(net(espalier::zeros({1, 3, 8, 8})).shape(), espalier::Shape({1, 2}));
}

}  // namespace
