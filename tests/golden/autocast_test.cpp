#include <functional>
#include <map>

#include <gtest/gtest.h>

#include <espalier/autograd/autocast.h>
#include <espalier/io/safetensors.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/attention.h>
#include <espalier/ops/conv.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/loss.h>
#include <espalier/ops/math.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/norm.h>
#include <espalier/ops/pool.h>
#include <espalier/ops/reduce.h>
#include <espalier/ops/softmax.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

struct Case {
  Shape shape;
  std::function<Tensor(const Tensor&)> run;
};

Tensor classes() { return tensor(std::vector<int64_t>{1, 2}, {2}); }

const std::map<std::string, Case> cases = {
    {"conv2d",
     {{2, 3, 6, 6},
      [](const Tensor& x) {
        return conv2d(x, randn({4, 3, 3, 3}), randn({4}));
      }}},
    {"linear",
     {{2, 6},
      [](const Tensor& x) {
        return linear(x, randn({5, 6}), randn({5}));
      }}},
    {"matmul",
     {{2, 6},
      [](const Tensor& x) {
        return matmul(x, randn({6, 5}));
      }}},
    {"mm",
     {{2, 6},
      [](const Tensor& x) {
        return mm(x, randn({6, 5}));
      }}},
    {"bmm",
     {{2, 4, 6},
      [](const Tensor& x) {
        return bmm(x, randn({2, 6, 5}));
      }}},
    {"dot", {{6}, [](const Tensor& x) { return dot(x, x); }}},
    {"attention", {{2, 2, 4, 6}, [](const Tensor& x) { return scaled_dot_product_attention(x, x, x); }}},
    {"relu", {{2, 3, 6, 6}, [](const Tensor& x) { return x.relu(); }}},
    {"add", {{2, 3, 6, 6}, [](const Tensor& x) { return x + randn({6}); }}},
    {"square", {{2, 3, 6, 6}, [](const Tensor& x) { return x * x; }}},
    {"exp", {{2, 6}, [](const Tensor& x) { return x.exp(); }}},
    {"gelu", {{2, 6}, [](const Tensor& x) { return gelu(x); }}},
    {"softmax", {{2, 6}, [](const Tensor& x) { return x.softmax(1); }}},
    {"log_softmax", {{2, 6}, [](const Tensor& x) { return x.log_softmax(1); }}},
    {"batch_norm",
     {{2, 3, 6, 6},
      [](const Tensor& x) {
        return batch_norm(x, ones({3}), zeros({3}), zeros({3}), ones({3}), {.training = true});
      }}},
    {"layer_norm", {{2, 6}, [](const Tensor& x) { return layer_norm(x, {6}, ones({6}), zeros({6})); }}},
    {"max_pool2d", {{2, 3, 6, 6}, [](const Tensor& x) { return max_pool2d(x, 2); }}},
    {"adaptive_avg_pool2d", {{2, 3, 6, 6}, [](const Tensor& x) { return adaptive_avg_pool2d(x, 1); }}},
    {"sum", {{2, 6}, [](const Tensor& x) { return x.sum(); }}},
    {"mean", {{2, 6}, [](const Tensor& x) { return x.mean(); }}},
    {"cat",
     {{2, 6},
      [](const Tensor& x) {
        return cat({x, randn({2, 6})});
      }}},
    {"cross_entropy", {{2, 6}, [](const Tensor& x) { return cross_entropy(x, classes()); }}},
    {"nll_loss", {{2, 6}, [](const Tensor& x) { return nll_loss(x, classes()); }}},
    {"mse_loss",
     {{2, 6},
      [](const Tensor& x) {
        return mse_loss(x, ones({2, 6}));
      }}},
    {"l1_loss",
     {{2, 6},
      [](const Tensor& x) {
        return l1_loss(x, ones({2, 6}));
      }}},
    {"binary_cross_entropy_with_logits",
     {{2, 6},
      [](const Tensor& x) {
        return binary_cross_entropy_with_logits(x, ones({2, 6}));
      }}},
};

TEST(Autocast, ResultsHaveTheDtypesThatPyTorchGivesThem) {
  size_t compared = 0;
  io::SafetensorsFile file("golden/autocast.safetensors");
  for (auto& [name, dtypes] : file.metadata()) {
    if (name == "made_by") continue;
    ASSERT_TRUE(cases.count(name)) << name;
    const Case& c = cases.at(name);
    std::string got = "\"";
    Autocast scope;
    for (DType d : {float32, bfloat16}) {
      got += espalier::name(c.run(randn(c.shape).to(d)).dtype());
      got += d == float32 ? " " : "\"";
    }
    EXPECT_EQ(got, dtypes) << name;
    ++compared;
  }
  EXPECT_EQ(compared, cases.size());
}

}  // namespace
}  // namespace espalier
