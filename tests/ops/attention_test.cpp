#include <espalier/core/threads.h>
#include <espalier/ops/attention.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/reduce.h>
#include <espalier/ops/view.h>

#include <gtest/gtest.h>

#include "distance.h"

namespace espalier::test {
namespace {

class Switch {
 public:
  explicit Switch(bool on) { set_fused_attention(on); }
  ~Switch() { set_fused_attention(before_); }

 private:
  bool before_ = fused_attention();
};

struct Case {
  int64_t batch, heads, queries, keys, features, values;
};

// With less and more than a vector of keys and features, and more than a block of queries and of keys.
const Case cases[] = {{1, 1, 1, 1, 1, 1},     {2, 3, 5, 7, 6, 9},      {1, 2, 16, 16, 16, 16},
                      {2, 1, 130, 131, 8, 4}, {1, 2, 37, 300, 33, 18}, {1, 1, 20, 3000, 4, 4}};

Tensor random(const Shape& shape, DType dtype) {
  return randn(shape, {.dtype = float64}).to(dtype).detach().requires_grad_();
}

// The result, gradients, and gradients of the gradients' squares. Queries lie step by step, keys by head.
std::vector<Tensor> all(const Case& c, DType dtype, bool causal, bool with_mask, bool second) {
  manual_seed(4);
  Tensor q = random({c.batch, c.queries, c.heads, c.features}, dtype),
         k = random({c.batch, c.heads, c.keys, c.features}, dtype),
         v = random({c.batch, c.heads, c.values, c.keys}, dtype), mask = random({c.queries, c.keys}, dtype);
  AttentionOptions o{.attn_mask = with_mask ? mask.detach() : Tensor(), .is_causal = causal};
  Tensor y = scaled_dot_product_attention(q.transpose(1, 2), k, v.transpose(2, 3), o);
  std::vector<Tensor> inputs{q, k, v}, out{y};
  Tensor weights = linspace(-1, 2, y.numel()).to(dtype).reshape(y.shape());
  auto first = grad(y, inputs, {.grad_outputs = {weights}, .create_graph = second});
  out.insert(out.end(), first.begin(), first.end());
  if (!second) return out;
  Tensor squares = first[0].square().sum() + first[1].square().sum() + first[2].square().sum();
  for (const Tensor& g : grad(squares, inputs)) out.push_back(g);
  return out;
}

TEST(FusedAttention, AgreesWithTheComposedOperations) {
  for (const Case& c : cases) {
    for (int masks : {0, 1, 2}) {
      for (bool second : {false, true}) {
        Switch off(false);
        auto plain = all(c, float64, masks == 1, masks == 2, second);
        Switch on(true);
        auto exact = all(c, float64, masks == 1, masks == 2, second);
        auto fused = all(c, float32, masks == 1, masks == 2, second);
        ASSERT_EQ(plain.size(), fused.size());
        for (size_t i = 0; i < plain.size(); ++i) {
          if (c.keys == 1 && i != 0 && i != 3) continue;  // zeros
          EXPECT_LT(distance(exact[i], plain[i]), 1e-12) << c.keys << " keys, result " << i;
          EXPECT_LT(distance(fused[i], plain[i]), 2e-5) << c.keys << " keys, result " << i;
        }
      }
    }
  }
}

TEST(FusedAttention, DoesNotDependOnTheNumberOfThreads) {
  int before = get_num_threads();
  std::vector<std::vector<float>> results[2];
  for (int threads : {1, 3}) {
    set_num_threads(threads);
    for (const Tensor& t : all({2, 5, 150, 70, 20, 24}, float32, true, false, false)) {
      results[threads == 1 ? 0 : 1].push_back(t.to_vector<float>());
    }
  }
  set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
}

TEST(SelfAttention, TakesAndGivesStepsFirst) {
  manual_seed(1);
  Tensor qkv = randn({7, 3, 24}).requires_grad_();  // [L, N, 3 * E]
  Tensor y = self_attention(qkv.transpose(0, 1), 2), g = randn(y.shape());
  EXPECT_TRUE(y.transpose(0, 1).is_contiguous());
  y.backward(g);
  Tensor same = qkv.detach().transpose(0, 1).contiguous().requires_grad_();
  Switch off(false);
  Tensor plain = self_attention(same, 2);
  plain.backward(g);
  EXPECT_LT(distance(y, plain), 1e-5);
  EXPECT_LT(distance(qkv.grad().transpose(0, 1), same.grad()), 1e-5);
}

TEST(FusedAttention, KeepsLargeScoresFinite) {
  Tensor q = full({2, 3}, 1e4), k = full({4, 3}, 1e4), v = ones({4, 2});
  for (double x : scaled_dot_product_attention(q, k, v).to_vector<double>()) EXPECT_NEAR(x, 1, 1e-6);
}

}  // namespace
}  // namespace espalier::test
