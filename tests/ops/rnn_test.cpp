#include <espalier/autograd/grad_mode.h>
#include <espalier/core/threads.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/math.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/reduce.h>
#include <espalier/ops/rnn.h>
#include <espalier/ops/view.h>

#include <gtest/gtest.h>

#include "distance.h"

namespace espalier::test {
namespace {

class Switch {
 public:
  explicit Switch(bool on) { set_fused_rnn(on); }
  ~Switch() { set_fused_rnn(before_); }

 private:
  bool before_ = fused_rnn();
};

struct Case {
  int64_t steps, batch, in, hidden;
  RnnOptions options;
};

// With less and more than a vector of features, rows that fill groups or not, and more than a block of them.
const Case cases[] = {
    {1, 1, 1, 1, {}},
    {3, 2, 5, 7, {.batch_first = true}},
    {4, 13, 6, 16, {.reverse = true}},
    {2, 6, 20, 33, {.batch_first = true, .reverse = true}},
    {3, 17, 3, 72, {}},
    {2, 4, 9, 130, {.batch_first = true}},
    // Split products, with pieces of the batch and sums of gradients that are full or not.
    {25, 45, 40, 48, {}},
    {26, 33, 65, 33, {.batch_first = true, .reverse = true}},
};

struct Problem {
  Problem(const Case& c, int64_t gates, DType dtype) : options(c.options) {
    manual_seed(3);
    auto random = [&](const Shape& shape) {
      return (randn(shape, {.dtype = float64}) * 0.3).to(dtype).detach().requires_grad_();
    };
    bool first = options.batch_first;
    x = random({first ? c.batch : c.steps, first ? c.steps : c.batch, c.in});
    h = random({c.batch, c.hidden}), state_c = random({c.batch, c.hidden});
    w = {random({gates * c.hidden, c.in}), random({gates * c.hidden, c.hidden}), random({gates * c.hidden}),
         random({gates * c.hidden})};
  }
  std::vector<Tensor> inputs(bool lstm) const {
    std::vector<Tensor> all{x, h, w.weight_ih, w.weight_hh, w.bias_ih, w.bias_hh};
    if (lstm) all.push_back(state_c);
    return all;
  }
  RnnOptions options;
  Tensor x, h, state_c;
  RnnWeights w;
};

// Results, gradients of their weighted sum, and gradients of those gradients' squares.
std::vector<Tensor> all(const Case& c, bool is_lstm, DType dtype, bool second) {
  Problem p(c, is_lstm ? 4 : 3, dtype);
  std::vector<Tensor> out;
  if (is_lstm) {
    auto [y, state] = lstm(p.x, {p.h, p.state_c}, p.w, p.options);
    out = {y, state.first, state.second};
  } else {
    auto [y, h] = gru(p.x, p.h, p.w, p.options);
    out = {y, h};
  }
  Tensor sum = zeros({}, {.dtype = dtype});
  for (const Tensor& y : out) sum = sum + (y * linspace(-1, 2, y.numel()).to(dtype).reshape(y.shape())).sum();
  auto inputs = p.inputs(is_lstm);
  auto first = grad(sum, inputs, {.create_graph = second});
  out.insert(out.end(), first.begin(), first.end());
  if (!second) return out;
  Tensor squares = zeros({}, {.dtype = dtype});
  for (const Tensor& g : first) squares = squares + g.square().sum();
  for (const Tensor& g : grad(squares, inputs)) out.push_back(g);
  return out;
}

TEST(FusedRnn, AgreesWithTheComposedOperations) {
  for (const Case& c : cases) {
    for (bool is_lstm : {true, false}) {
      for (bool second : {false, true}) {
        Switch off(false);
        auto plain = all(c, is_lstm, float64, second);
        Switch on(true);
        auto exact = all(c, is_lstm, float64, second), fused = all(c, is_lstm, float32, second);
        ASSERT_EQ(plain.size(), fused.size());
        for (size_t i = 0; i < plain.size(); ++i) {
          EXPECT_LT(distance(exact[i], plain[i]), 1e-13) << "hidden " << c.hidden << ", result " << i;
          EXPECT_LT(distance(fused[i], plain[i]), 1e-5) << "hidden " << c.hidden << ", result " << i;
        }
      }
    }
  }
}

TEST(FusedRnn, DoesNotDependOnTheNumberOfThreads) {
  int before = get_num_threads();
  for (bool is_lstm : {true, false}) {
    for (int64_t batch : {29, 61}) {
      std::vector<std::vector<float>> results[2];
      for (int threads : {1, 3}) {
        set_num_threads(threads);
        for (const Tensor& t : all({25, batch, 8, 40, {}}, is_lstm, float32, false)) {
          results[threads == 1 ? 0 : 1].push_back(t.to_vector<float>());
        }
      }
      set_num_threads(before);
      EXPECT_EQ(results[0], results[1]);
    }
  }
}

// Without gradients nothing is saved.
TEST(FusedRnn, GivesTheSameWithoutGradients) {
  for (const Case& c : cases) {
    for (bool is_lstm : {true, false}) {
      Problem p(c, is_lstm ? 4 : 3, float32);
      auto run = [&] {
        if (!is_lstm) return gru(p.x, p.h, p.w, p.options).first.to_vector<float>();
        auto [y, state] = lstm(p.x, {p.h, p.state_c}, p.w, p.options);
        return cat({y.flatten(), state.second.flatten()}).to_vector<float>();
      };
      auto with = run();
      NoGrad no_grad;
      EXPECT_EQ(run(), with) << "hidden " << c.hidden;
    }
  }
}

std::vector<bool> finite(const Tensor& t) {
  std::vector<bool> out;
  for (double v : t.to_vector<double>()) out.push_back(std::isfinite(v));
  return out;
}

TEST(FusedRnn, SumsTheGradientsOfManyPieces) {
  Case c{24, 513, 3, 32, {}};
  bool before = bf16x3();
  std::vector<Tensor> results[2];
  for (bool split : {false, true}) {
    set_bf16x3(split);
    for (int64_t pieces : {33, 34}) full({pieces, 4 * c.hidden, c.in + c.hidden}, 1e9);  // memory used again
    results[split] = all(c, true, float32, false);
  }
  set_bf16x3(before);
  for (size_t i = 0; i < results[0].size(); ++i) {
    EXPECT_LT(distance(results[1][i], results[0][i]), 1e-5) << "result " << i;
  }
}

// Numbers that can't be split, in a row of the batch, in the weights or in the gradient of the result.
TEST(FusedRnn, TakesNumbersThatAreTooLargeToSplit) {
  bool before = bf16x3();
  Problem p({25, 40, 33, 48, {}}, 4, float32);
  Tensor x = p.x.detach(), row = zeros_like(x), w = p.w.weight_hh.detach(), some = zeros_like(w);
  row.select(1, 17).fill_(1e20);
  some.select(0, 5).fill_(1e20);
  for (auto [input, weight, scale] : {std::tuple(x + row, w, 1.0), {x, w + some, 1.0}, {x, w, 1e20}}) {
    std::vector<Tensor> results[2];
    for (bool split : {false, true}) {
      set_bf16x3(split);
      Tensor x = input.detach().requires_grad_(), w = weight.detach().requires_grad_();
      Tensor y = lstm(x, {p.h, p.state_c}, {p.w.weight_ih, w, p.w.bias_ih, p.w.bias_hh}).first;
      results[split] = grad((y * scale).sum(), {x, p.h, p.state_c, p.w.weight_ih, w, p.w.bias_ih});
      results[split].push_back(y);
    }
    set_bf16x3(before);
    for (size_t i = 0; i < results[0].size(); ++i) {
      ASSERT_EQ(finite(results[1][i]), finite(results[0][i])) << "result " << i << ", scale " << scale;
      EXPECT_LT(distance(results[1][i], results[0][i].to(float64)), 1e-5)
          << "result " << i << ", scale " << scale;
    }
  }
}

// Gates that are shut or open all the way.
TEST(FusedRnn, StaysFiniteAtTheEndsOfTheGates) {
  for (double size : {20.0, 90.0, 1e4, 1e30}) {
    Tensor x = tensor({{{size, -size}}}).requires_grad_(), h = zeros({1, 2});
    Tensor w = tensor({{1.0, 0.0}, {0.0, 1.0}}).repeat({4, 1});
    auto [y, state] = lstm(x, {h, h}, {w, w});
    EXPECT_NEAR(y.index({0, 0, 0}).item<double>(), std::tanh(1.0), 1e-6) << size;
    EXPECT_NEAR(y.index({0, 0, 1}).item<double>(), 0, 1e-6) << size;
    y.sum().backward();
    for (double g : x.grad().to_vector<double>()) EXPECT_NEAR(g, 0, 1e-6) << size;
  }
}

TEST(FusedRnn, LetsNaNThrough) {
  Tensor x = full({1, 1, 2}, std::nan("")), h = zeros({1, 2}), w = ones({8, 2});
  for (double v : lstm(x, {h, h}, {w, w}).first.to_vector<double>()) EXPECT_TRUE(std::isnan(v));
}

}  // namespace
}  // namespace espalier::test
