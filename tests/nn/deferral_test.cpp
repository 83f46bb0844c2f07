#include <cmath>
#include <limits>

#include <espalier/core/allocator.h>

#include <gtest/gtest.h>

#include <espalier/core/deferred.h>
#include <espalier/espalier.h>

// What is put off and fused gives what the operations one by one give.
namespace espalier::test {
namespace {

struct SeedLike : nn::Module<SeedLike> {
  nn::Conv2d conv{3, 16, 3, {.padding = 1}};
  nn::Linear fc{16 * 9 * 10, 5};
  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

struct Residual : nn::Module<Residual> {
  nn::Conv2d conv1{8, 24, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn1{24};
  nn::Conv2d conv2{24, 24, 3, {.padding = 1, .bias = false}};
  nn::BatchNorm2d bn2{24};
  nn::Conv2d shortcut{8, 24, 1, {.bias = false}};
  nn::BatchNorm2d bn3{24};
  Tensor forward(const Tensor& x) {
    Tensor h = relu(bn1(conv1(x)));
    return relu(bn2(conv2(h)) + bn3(shortcut(x)));
  }
};

// Gradients that reach a batch norm by a ReLU, by a sum and a ReLU, and by several of them.
struct Crossing : nn::Module<Crossing> {
  nn::BatchNorm2d bn1{24}, bn2{24};
  nn::BatchNorm2d third{24, {.affine = false}};
  Tensor forward(const Tensor& x) {
    Tensor a = bn1(x), b = bn2(x);
    return relu(a) * relu(b + x) + relu(relu(a) - third(x)) + relu(bn2(relu(x))) * 0.3;
  }
};

struct Mlp : nn::Module<Mlp> {
  nn::Linear first{40, 600}, second{600, 7};
  Tensor forward(const Tensor& x) { return second(relu(first(x))); }
};

struct Outcome {
  Tensor y, gx;
  std::vector<Tensor> gradients;
};

template <class Net>
Outcome run(Net& net, const Tensor& input, bool put_off) {
  bool before = set_deferral(put_off);
  Tensor x = input.clone().requires_grad_();
  net.zero_grad();
  Outcome r;
  r.y = net(x);
  r.y.square().mean().backward();
  r.gx = x.grad();
  for (auto& p : net.parameters()) r.gradients.push_back(p.grad().clone());
  set_deferral(before);
  return r;
}

void expect_near(const Tensor& a, const Tensor& b, double tolerance = 1e-5) {
  ASSERT_EQ(a.shape(), b.shape());
  ASSERT_EQ(a.dtype(), b.dtype());
  double size = b.to(DType::float64).abs().max().item<double>();
  EXPECT_LE((a.to(DType::float64) - b.to(DType::float64)).abs().max().item<double>(), tolerance * size + 1e-7)
      << "of " << size;
}

template <class Net>
void expect_same(Net& net, const Tensor& x, double tolerance = 1e-5) {
  Outcome fused = run(net, x, true), plain = run(net, x, false);
  expect_near(fused.y, plain.y, tolerance);
  expect_near(fused.gx, plain.gx, tolerance);
  for (size_t i = 0; i < plain.gradients.size(); ++i) {
    expect_near(fused.gradients[i], plain.gradients[i], tolerance);
  }
}

struct Deferral : testing::Test {
  void SetUp() override { manual_seed(3); }
};

TEST_F(Deferral, ConvolutionReluFlattenAndLinear) {
  SeedLike net;
  for (int64_t n : {1, 13, 18, 32, 67}) expect_same(net, randn({n, 3, 9, 10}));
}

TEST_F(Deferral, InputsThatAreNotContiguous) {
  SeedLike net;
  expect_same(net, randn({20, 3, 10, 9}).transpose(2, 3));
  expect_same(net, randn({20, 9, 10, 3}).permute({0, 3, 1, 2}));
}

struct OneImage : nn::Module<OneImage> {
  nn::Conv2d conv{3, 16, 3, {.padding = 1}};
  nn::Linear fc{16 * 34 * 34, 5};
  Tensor forward(const Tensor& x) { return fc(relu(conv(x)).flatten(1)); }
};

TEST_F(Deferral, WeightsAreReorderedForOneImageAndFollowTheirChanges) {
  OneImage net;
  Tensor x = randn({1, 3, 34, 34});
  for (int round = 0; round < 3; ++round) {
    bool before = set_deferral(false);
    NoGrad no_grad;
    Tensor plain = net(x);
    set_deferral(true);
    for (int i = 0; i < 4; ++i) expect_near(net(x), plain);
    set_deferral(before);
    net.fc.weight.mul_(1.5);
  }
  expect_same(net, x);
}

TEST_F(Deferral, BatchNormsWithReluAndSumInTrainingAndAfter) {
  Residual net;
  for (int64_t n : {4, 9}) expect_same(net, randn({n, 8, 15, 13}));
  net.eval();
  for (int64_t n : {4, 9}) expect_same(net, randn({n, 8, 15, 13}));
}

TEST_F(Deferral, BatchNormsWhoseGradientsCross) {
  Crossing net;
  for (Tensor t : {Tensor(net.bn1.weight), Tensor(net.bn1.bias), Tensor(net.bn2.weight)}) {
    NoGrad no_grad;
    t.uniform_(-1, 1);
  }
  for (DType d : {float32, float64}) {
    net.to(d);
    expect_same(net, randn({5, 24, 9, 8}, {.dtype = d}));
    expect_same(net, randn({5, 8, 9, 24}, {.dtype = d}).permute({0, 3, 2, 1}));
  }
}

TEST_F(Deferral, LinearLayers) {
  Mlp net;
  for (int64_t n : {30, 65}) expect_same(net, randn({n, 40}));
}

TEST_F(Deferral, AllThreadCounts) {
  int before = get_num_threads();
  Residual net;
  Tensor x = randn({6, 8, 15, 13});
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    expect_same(net, x);
  }
  SeedLike seed;
  Tensor images = randn({37, 3, 9, 10});
  std::vector<std::vector<float>> first;
  for (int threads : {1, 2, 3}) {
    set_num_threads(threads);
    std::vector<std::vector<float>> values;
    Outcome r = run(seed, images, true);
    // All but that of the convolution's weights, which is oneDNN's.
    for (size_t i = 1; i < r.gradients.size(); ++i) values.push_back(r.gradients[i].to_vector<float>());
    if (threads == 1) first = values;
    EXPECT_EQ(values, first) << threads;
  }
  set_num_threads(before);
}

TEST_F(Deferral, OtherDtypes) {
  for (auto [dtype, tolerance] : {std::pair(DType::float64, 1e-12), std::pair(DType::bfloat16, 0.05)}) {
    Residual net;
    net.to(dtype);
    expect_same(net, randn({6, 8, 15, 13}).to(dtype), tolerance);
  }
}

// A module of one forward, as a function.
template <class F>
struct Forward : nn::Module<Forward<F>> {
  nn::Conv2d conv{3, 16, 3, {.padding = 1}};
  Tensor forward(const Tensor& x) { return F()(conv, x); }
};

template <class F>
void expect_same_values(F) {
  Forward<F> net;
  NoGrad no_grad;
  Tensor x = randn({4, 3, 20, 20});
  bool before = set_deferral(true);
  Tensor fused = net(x.clone());
  set_deferral(false);
  Tensor plain = net(x.clone());
  set_deferral(before);
  expect_near(fused, plain);
}

TEST_F(Deferral, WritesInPlaceComeAfterWhatWasPutOff) {
  expect_same_values([](nn::Conv2d& conv, Tensor x) {
    Tensor y = conv(x);
    x.add_(1);
    return relu(y);
  });
  expect_same_values([](nn::Conv2d& conv, Tensor x) {
    Tensor y = relu(conv(x)).flatten(1);
    x.data<float>()[0] = 100;
    return y + conv(x).flatten(1);
  });
}

TEST_F(Deferral, WritesIntoWhatWasPutOff) {
  expect_same_values([](nn::Conv2d& conv, Tensor x) {
    Tensor y = conv(x);
    y.mul_(2);
    return relu(y);
  });
  expect_same_values([](nn::Conv2d& conv, Tensor x) {
    Tensor y = conv(x);
    Tensor z = relu(y);
    y.mul_(-1);
    return relu(y) + z;
  });
}

TEST_F(Deferral, ValuesTakenOverCanStillBeRead) {
  expect_same_values([](nn::Conv2d& conv, Tensor x) {
    Tensor y = conv(x);
    Tensor z = relu(y);
    return z + y.slice(1, 0, 16) + y.transpose(2, 3).transpose(2, 3);
  });
}

TEST_F(Deferral, WhatIsReturnedIsComputed) {
  SeedLike net;
  NoGrad no_grad;
  struct Last : nn::Module<Last> {
    nn::Conv2d conv{3, 16, 3, {.padding = 1}};
    Tensor forward(const Tensor& x) { return conv(x); }
  };
  Last last;
  Tensor x = randn({4, 3, 20, 20}), expected = last(x.clone());
  float* values = x.data<float>();
  Tensor y = last(x);
  for (int64_t i = 0; i < x.numel(); ++i) values[i] = 0;
  expect_near(y, expected);
}

TEST_F(Deferral, NaNAndInfinityPassAFusedRelu) {
  SeedLike net;
  NoGrad no_grad;
  for (float value : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Tensor x = randn({16, 3, 9, 10});
    x.data<float>()[5] = value;
    bool before = set_deferral(false);
    Tensor plain = net(x);
    set_deferral(true);
    Tensor fused = net(x);
    set_deferral(before);
    EXPECT_EQ(fused.isnan().sum().item<int64_t>(), plain.isnan().sum().item<int64_t>());
    EXPECT_GT(fused.isnan().sum().item<int64_t>() + fused.isinf().sum().item<int64_t>(), 0);
  }
}

TEST_F(Deferral, AGradientThatSomebodyKeepsIsNotOverwritten) {
  SeedLike net;
  for (int64_t n : {13, 21}) {
    Tensor x = randn({n, 3, 9, 10}), kept[2];
    for (bool put_off : {false, true}) {
      bool before = set_deferral(put_off);
      Tensor z = relu(net.conv(x));
      z.register_hook([&](const Tensor& g) { return kept[put_off] = g, Tensor(); });
      net.fc(z.flatten(1)).square().sum().backward();
      set_deferral(before);
    }
    expect_near(kept[1], kept[0]);
  }
}

TEST_F(Deferral, AnInputWrittenBeforeItsGradientIsAnError) {
  SeedLike net;
  Tensor x = randn({13, 3, 9, 10}).contiguous();
  for (Tensor input : {x, randn({13, 9, 10, 3}).permute({0, 3, 1, 2})}) {
    Tensor y = net(input).sum();
    input.add_(1);
    EXPECT_THROW(y.backward(), GradError);
  }
}

TEST_F(Deferral, SecondDerivatives) {
  SeedLike net;
  auto penalty = [&](bool put_off) {
    bool before = set_deferral(put_off);
    Tensor x =
        (arange(0, 13 * 3 * 9 * 10, 1, {.dtype = DType::float32}) * 0.37).sin().reshape({13, 3, 9, 10});
    x.requires_grad_();
    net.zero_grad();
    Tensor g = grad(net(x).square().sum(), {x}, {.create_graph = true})[0];
    g.square().sum().backward();
    set_deferral(before);
    return net.conv.weight.grad().clone();
  };
  Tensor fused = penalty(true);
  expect_near(fused, penalty(false));
}

TEST_F(Deferral, AWeightsGradientIsNotCopied) {
  nn::Linear fc(300, 400);
  Tensor loss = fc(randn({20, 300})).sum();
  int64_t before = memory_stats().in_use;
  reset_peak_memory();
  loss.backward();
  EXPECT_LT(memory_stats().peak - before, 2 * fc.weight.numel() * 4);
}

}  // namespace
}  // namespace espalier::test
