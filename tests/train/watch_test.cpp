#include <espalier/train/watch.h>

#include <cmath>

#include <gtest/gtest.h>

#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/sgd.h>

namespace espalier::train {
namespace {

struct Net : nn::Module<Net> {
  nn::Linear a{2, 2, {.bias = false}};
  nn::ReLU relu;
  nn::Linear b{2, 1};
  Tensor forward(const Tensor& x) { return b(relu(relu(a(x)))); }
};

Tensor matrix(std::vector<float> values, const Shape& shape) { return tensor(values).reshape(shape); }

TEST(Watch, SeesGradientsUpdatesAndDeadUnits) {
  Net net;
  net.a.weight = matrix({1, 0, -1, 0}, {2, 2});  // the second unit is dead for positive inputs
  net.b.weight = matrix({2, 5}, {1, 2});
  Watch watch(net.ref());
  optim::SGD sgd(net.parameters(), {.lr = 0.5});
  {
    RecorderScope scope(&watch);
    net(matrix({3, 1, 4, 1}, {2, 2})).sum().backward();
  }
  watch.gradients();
  sgd.step();
  watch.updates();
  trace::Step step;
  watch.take(step);
  ASSERT_EQ(step.layers.size(), 2u);
  EXPECT_EQ(step.layers[0].name, "a");
  EXPECT_EQ(step.layers[0].elements, 4);
  EXPECT_NEAR(step.layers[0].weight, std::sqrt(2.0), 1e-6);
  EXPECT_NEAR(step.layers[0].gradient, 2 * std::hypot(7, 2), 1e-5);
  EXPECT_NEAR(step.layers[0].update, step.layers[0].gradient / 2, 1e-5);
  EXPECT_EQ(step.layers[1].elements, 3);
  ASSERT_EQ(step.units.size(), 2u);
  EXPECT_EQ(step.units[0].name, "relu");
  EXPECT_EQ(step.units[1].name, "relu #2");
  EXPECT_EQ(step.units[0].units, 2);
  EXPECT_EQ(step.units[0].dead, 1);
}

TEST(Watch, AUnitIsDeadWhenItIsZeroForAllExamplesAndPlaces) {
  EXPECT_EQ(dead_units(matrix({0, 1, 0, 0, 0, 0}, {1, 3, 2})), 2);
  EXPECT_EQ(dead_units(matrix({0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0}, {2, 3, 2})), 1);
  EXPECT_EQ(dead_units(matrix({0, 0, 1, 0, 0, 0, 2, 0}, {1, 2, 2, 2}).transpose(1, 3)), 1);
}

}  // namespace
}  // namespace espalier::train
