#include <gtest/gtest.h>

#include <espalier/core/deferred.h>
#include <espalier/espalier.h>

// A batch norm in evaluation mode becomes part of the weights before it, which are kept.
namespace espalier::test {
namespace {

struct Pair : nn::Module<Pair> {
  nn::Conv2d conv{
      64, 64, 3, {.padding = 1}};  // so many weights that one image alone would not pay for folding
  nn::BatchNorm2d norm{64};
  nn::BatchNorm2d other{64};
  bool second = false;
  Tensor forward(const Tensor& x) { return relu(second ? other(conv(x)) : norm(conv(x))); }
};

struct FoldedNorm : testing::Test {
  FoldedNorm() : x(randn({1, 64, 17, 17})) {
    for (Tensor t : {Tensor(net.norm.weight), Tensor(net.norm.bias), Tensor(net.other.bias)}) {
      NoGrad no_grad;
      t.uniform_(0.5, 1.5);
    }
    net(x);  // statistics that are not those of the beginning
    net.eval();
  }

  Tensor run(bool put_off = true) {
    NoGrad no_grad;
    bool before = set_deferral(put_off);
    Tensor y = net(x);
    (void)y.array().data();
    set_deferral(before);
    return y;
  }
  void expect_right(const char* when) {
    Tensor plain = run(false);
    double size = plain.abs().max().item<double>();
    for (int i = 0; i < 4; ++i) {
      EXPECT_LE((run() - plain).abs().max().item<double>(), 1e-5 * size) << when << ", time " << i;
    }
  }

  Pair net;
  Tensor x;
};

TEST_F(FoldedNorm, GivesTheSameEachTime) {
  auto first = run().to_vector<float>();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(run().to_vector<float>(), first);
  expect_right("as it is");
}

TEST_F(FoldedNorm, FollowsAWriteToAnyOfItsParts) {
  expect_right("before");
  NoGrad no_grad;
  for (auto& [name, tensor] : net.state_dict()) {
    if (!tensor.is_floating_point()) continue;
    Tensor before = run();
    Tensor(tensor).mul_(1.5);
    expect_right(name.c_str());
    bool counts = name.find("other") == name.npos;
    EXPECT_EQ((run() - before).abs().max().item<double>() > 1e-3, counts) << name;
  }
}

TEST_F(FoldedNorm, FollowsTrainingAndLoading) {
  nn::StateDict first;
  for (auto& [name, tensor] : net.state_dict()) first.set(name, tensor.clone());
  expect_right("before");
  Tensor before = run();
  auto optimizer = optim::SGD(net.parameters(), {.lr = 0.5});
  net.train();
  net(x).square().mean().backward();
  optimizer.step();
  net.eval();
  expect_right("after a step");
  net.load_state_dict(first);
  expect_right("loaded");
  EXPECT_LE((run() - before).abs().max().item<double>(), 1e-5);
}

TEST_F(FoldedNorm, OneConvolutionMayHaveSeveralNorms) {
  for (int i = 0; i < 6; ++i) {
    net.second = i % 2 == 1 || i > 3;
    expect_right(net.second ? "the second" : "the first");
  }
}

TEST_F(FoldedNorm, ANewNormIsNotTakenForTheOldOne) {
  for (int i = 0; i < 4; ++i) {
    expect_right("new");
    net.norm = nn::BatchNorm2d{64};
    net.conv.bias = nn::Parameter(randn({64}));
    net.eval();
  }
}

TEST_F(FoldedNorm, AnAddressThatWasGivenOutIsNotTrusted) {
  float* variance = net.norm.running_var.data<float>();
  expect_right("before");
  variance[3] = 9;
  expect_right("written by address");
}

}  // namespace
}  // namespace espalier::test
