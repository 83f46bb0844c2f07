#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/random.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/optim.h>
#include <espalier/nn/module.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/sgd.h>

// The fused updates against the same written in plain arithmetic.
namespace espalier::optim {
namespace {

using Values = std::vector<double>;

struct PlainSgd {
  SGDOptions o;
  Values buffer = {};

  void step(Values& p, const Values& grad) {
    bool first = buffer.empty();
    buffer.resize(p.size());
    for (size_t i = 0; i < p.size(); ++i) {
      double g = (o.maximize ? -grad[i] : grad[i]) + o.weight_decay * p[i];
      buffer[i] = first ? g : o.momentum * buffer[i] + (1 - o.dampening) * g;
      if (o.momentum != 0) g = o.nesterov ? g + o.momentum * buffer[i] : buffer[i];
      p[i] -= o.lr * g;
    }
  }
};

struct PlainAdam {
  AdamWOptions o;
  bool decoupled = false;
  Values m = {}, v = {}, top = {};
  int t = 0;

  void step(Values& p, const Values& grad) {
    m.resize(p.size()), v.resize(p.size()), top.resize(p.size());
    ++t;
    for (size_t i = 0; i < p.size(); ++i) {
      double g = o.maximize ? -grad[i] : grad[i];
      if (decoupled) p[i] *= 1 - o.lr * o.weight_decay;
      else g += o.weight_decay * p[i];
      m[i] = o.betas[0] * m[i] + (1 - o.betas[0]) * g;
      v[i] = o.betas[1] * v[i] + (1 - o.betas[1]) * g * g;
      top[i] = std::max(top[i], v[i]);
      double square = (o.amsgrad ? top[i] : v[i]) / (1 - std::pow(o.betas[1], t));
      p[i] -= o.lr * (m[i] / (1 - std::pow(o.betas[0], t))) / (std::sqrt(square) + o.eps);
    }
  }
};

double tolerance(DType dtype) { return dtype == float64 ? 1e-12 : dtype == float32 ? 2e-6 : 3e-2; }

// Parameters of one vector, of less than one, of several pieces of work, and empty.
const std::vector<Shape> kShapes = {{3}, {16, 16}, {0, 4}, {70001}, {}};

template <class Fused, class Options, class Plain>
void compare(const Options& options, const Plain& plain, DType dtype) {
  manual_seed(1);
  std::vector<Tensor> params;
  std::vector<Values> values;
  for (auto& shape : kShapes) {
    params.push_back(randn(shape, {.dtype = dtype}));
    values.push_back(params.back().to_vector<double>());
    params.back().requires_grad_();
  }
  std::vector<Plain> plains(params.size(), plain);
  Fused fused(params, options);
  for (int step = 0; step < 4; ++step) {
    for (size_t i = 0; i < params.size(); ++i) {
      params[i].set_grad(randn(kShapes[i], {.dtype = dtype}));
      plains[i].step(values[i], params[i].grad().template to_vector<double>());
    }
    fused.step();
  }
  for (size_t i = 0; i < params.size(); ++i) {
    Values got = params[i].to_vector<double>();
    for (size_t j = 0; j < got.size(); ++j) {
      ASSERT_NEAR(got[j], values[i][j], tolerance(dtype) * std::max(1.0, std::abs(values[i][j])))
          << name(dtype) << ", parameter " << i << ", element " << j;
    }
  }
}

void compare_sgd(const SGDOptions& o) {
  for (DType dtype : {float64, float32, bfloat16}) compare<SGD>(o, PlainSgd{o}, dtype);
}

void compare_adam(const AdamWOptions& o) {
  AdamOptions same{o.lr, o.betas, o.eps, o.weight_decay, o.amsgrad, o.maximize};
  for (DType dtype : {float64, float32, bfloat16}) {
    compare<Adam>(same, PlainAdam{o, false}, dtype);
    compare<AdamW>(o, PlainAdam{o, true}, dtype);
  }
}

TEST(FusedUpdates, SgdIsThePlainFormula) {
  compare_sgd({.lr = 0.1});
  compare_sgd({.lr = 0.1, .weight_decay = 0.2});
  compare_sgd({.lr = 0.1, .momentum = 0.9});
  compare_sgd({.lr = 0.1, .momentum = 0.9, .dampening = 0.4, .weight_decay = 0.2, .maximize = true});
  compare_sgd({.lr = 0.1, .momentum = 0.9, .nesterov = true});
}

TEST(FusedUpdates, AdamAndAdamWAreThePlainFormula) {
  compare_adam({.lr = 0.01, .weight_decay = 0});
  compare_adam({.lr = 0.01, .weight_decay = 0.3});
  compare_adam({.lr = 0.01, .betas = {0.2, 0.6}, .eps = 1e-3, .amsgrad = true, .maximize = true});
}

std::vector<float> three_steps(int threads) {
  int before = get_num_threads();
  set_num_threads(threads);
  manual_seed(2);
  Tensor p = randn({100'003});
  p.requires_grad_();
  AdamW optimizer({p}, {.lr = 0.01, .amsgrad = true});
  for (int step = 0; step < 3; ++step) {
    p.set_grad(randn({100'003}));
    optimizer.step();
  }
  set_num_threads(before);
  return p.to_vector<float>();
}

// As in PyTorch: weight decay reaches rows that have no gradient, such as an embedding's padding row.
TEST(FusedUpdates, WeightDecayMovesWhatHasAGradientOfZero) {
  Tensor table = ones({2, 2});
  table.requires_grad_();
  AdamW optimizer({table}, {.lr = 0.5, .weight_decay = 0.5});
  table.set_grad(zeros({2, 2}));
  optimizer.step();
  EXPECT_EQ(table.to_vector<float>(), (std::vector<float>(4, 0.75f)));
}

TEST(FusedUpdates, GiveTheSameBitsForAnyNumberOfThreads) { EXPECT_EQ(three_steps(1), three_steps(3)); }

TEST(FusedUpdates, InfinityStaysInfinityAndNanStaysNan) {
  float inf = std::numeric_limits<float>::infinity();
  Tensor p = tensor(std::vector<float>{inf, 1, 2});
  p.requires_grad_();
  SGD optimizer({p}, {.lr = 0.1, .momentum = 0.9, .nesterov = true});
  p.set_grad(tensor(std::vector<float>{1, inf, std::nanf("")}));
  optimizer.step();
  EXPECT_EQ(p.to_vector<float>()[0], inf);
  EXPECT_EQ(p.to_vector<float>()[1], -inf);
  EXPECT_TRUE(std::isnan(p.to_vector<float>()[2]));
}

struct Net : nn::Module<Net> {
  nn::Parameter weight{ones({1000})};
};

TEST(FusedUpdates, GoOnWhenAModelIsConverted) {
  Net net;
  Adam optimizer(net.parameters(), {.lr = 0.25});
  for (DType dtype : {float32, float64, bfloat16}) {
    net.to(dtype);
    net.weight.set_grad(ones({1000}, {.dtype = dtype}));
    optimizer.step();
  }
  EXPECT_NEAR(net.weight.to_vector<float>()[999], 0.25, 0.01);
}

TEST(FusedUpdates, ReadAGradientOfAnotherOrderOrDtype) {
  Tensor p = zeros({2, 3}), transposed = zeros({3, 2});
  p.requires_grad_();
  SGD optimizer({p}, {.lr = 1});
  transposed.copy_(tensor(std::vector<float>{1, 2, 3, 4, 5, 6}, {3, 2}));
  Array a = transposed.array();
  p.set_grad(Tensor(a.view({2, 3}, {1, 2}, 0)));
  optimizer.step();
  EXPECT_EQ(p.to_vector<float>(), (std::vector<float>{-1, -3, -5, -2, -4, -6}));
  p.set_grad(ones({2, 3}, {.dtype = float64}));
  optimizer.step();
  EXPECT_EQ(p.to_vector<float>(), (std::vector<float>{-2, -4, -6, -3, -5, -7}));
}

// Else they would stay among the smallest numbers, for which a processor takes a hundred times as long.
TEST(FusedUpdates, MomentsThatFadeDoNotBecomeDenormal) {
  auto expect_faded = [](const std::vector<float>& moments) {
    for (float m : moments) {
      EXPECT_LT(std::abs(m), 2e-37f);
      EXPECT_NE(std::fpclassify(m), FP_SUBNORMAL) << m;
    }
  };
  std::vector<float> p(40, 1), grad(40), first(40, 1), second(40, 1e-37f);
  for (int step = 0; step < 1000; ++step) {
    kernels::sgd(
        {.parameter = p.data(), .grad = grad.data(), .buffer = first.data(), .lr = 0.1, .momentum = 0.9}, 0,
        40);
  }
  expect_faded(first);
  first.assign(40, 1);
  for (int step = 0; step < 3000; ++step) {
    kernels::adam({.parameter = p.data(),
                   .grad = grad.data(),
                   .exp_avg = first.data(),
                   .exp_avg_sq = second.data(),
                   .step_size = 0.1,
                   .bias2_sqrt = 1,
                   .beta1 = 0.9,
                   .beta2 = 0.999,
                   .eps = 1e-8},
                  0, 40);
  }
  expect_faded(first);
  expect_faded(second);
}

}  // namespace
}  // namespace espalier::optim
