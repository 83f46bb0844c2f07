#include <gtest/gtest.h>

#include <functional>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>
#include <espalier/core/storage.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/sgd.h>

namespace espalier::optim {
namespace {

using Floats = std::vector<float>;

Tensor parameter(const Floats& values) {
  Tensor p = tensor(values);
  return p.requires_grad_();
}

void expect_error(const std::string& part, const std::function<void()>& run) {
  try {
    run();
    FAIL() << "no error; expected: " << part;
  } catch (const Error& e) {
    EXPECT_NE(std::string(e.what()).find(part), std::string::npos) << e.what();
  }
}

TEST(Optimizer, TakesAStepDownTheGradient) {
  Tensor w = parameter({1, 2});
  SGD optimizer({w}, {.lr = 0.5});
  (w * w).backward(ones({2}));
  optimizer.step();
  EXPECT_EQ(w.to_vector<float>(), (Floats{0, 0}));
}

TEST(Optimizer, LeavesParametersWithoutAGradientAsTheyAre) {
  Tensor w = parameter({1}), frozen = tensor(Floats{5});
  Adam optimizer({w, frozen}, {.lr = 0.5, .weight_decay = 1});
  optimizer.step();
  EXPECT_EQ(w.to_vector<float>(), (Floats{1}));
  EXPECT_EQ(frozen.to_vector<float>(), (Floats{5}));
  EXPECT_FALSE(optimizer.state_dict()["state"].contains(0));
}

TEST(Optimizer, ZeroGradDropsGradients) {
  Tensor w = parameter({1});
  SGD optimizer({w});
  w.set_grad(ones({1}));
  optimizer.zero_grad();
  EXPECT_FALSE(w.grad().defined());
}

TEST(Optimizer, IsAHandle) {
  Tensor w = parameter({1});
  Optimizer optimizer = SGD({w}, {.lr = 1});
  Optimizer same = optimizer;
  same.param_groups()[0]["lr"] = 0.25;
  w.set_grad(ones({1}));
  optimizer.step();
  EXPECT_EQ(w.to_vector<float>(), (Floats{0.75}));
  EXPECT_STREQ(same.kind(), "SGD");
  EXPECT_FALSE(Optimizer().defined());
  expect_error("undefined", [] { Optimizer().step(); });
}

TEST(Optimizer, GroupsHaveTheirOwnSettings) {
  Tensor body = parameter({1}), head = parameter({1}), late = parameter({1});
  SGD optimizer({ParamGroup({body}), ParamGroup({{"head", head}}, {{"lr", 0.5}})}, {.lr = 0.25});
  optimizer.add_param_group({{late}, {{"lr", 1}}});
  for (auto p : {body, head, late}) p.set_grad(ones({1}));
  optimizer.step();
  EXPECT_EQ(body.to_vector<float>(), (Floats{0.75}));
  EXPECT_EQ(head.to_vector<float>(), (Floats{0.5}));
  EXPECT_EQ(late.to_vector<float>(), (Floats{0}));
  EXPECT_EQ(optimizer.param_groups()[1].names[0], "head");
  EXPECT_EQ(optimizer.param_groups()[2].names[0], "2");
}

TEST(Optimizer, TellsParametersOfOneNameApart) {
  Tensor a = parameter({1}), b = parameter({1}), c = parameter({1});
  SGD optimizer({ParamGroup({{"weight", a}}), ParamGroup({{"weight", b}, {"bias", c}})});
  EXPECT_EQ(optimizer.param_groups()[0].names, (std::vector<std::string>{"weight"}));
  EXPECT_EQ(optimizer.param_groups()[1].names, (std::vector<std::string>{"group.1.weight", "group.1.bias"}));
}

TEST(Optimizer, TellsTheTapeThatItWrote) {
  Tensor w = parameter({2});
  Tensor y = w * w;
  SGD optimizer({w});
  w.set_grad(ones({1}));
  optimizer.step();
  expect_error("mul", [&] { y.backward(); });
}

TEST(Optimizer, DoesNothingInARunForShapes) {
  Tensor w = parameter({2});
  SGD optimizer({w}, {.momentum = 0.9});
  w.set_grad(ones({1}));
  ShapesOnly guard;
  optimizer.step();
  EXPECT_EQ(*w.data<float>(), 2);
}

TEST(Optimizer, RefusesWhatItCanNotOptimise) {
  Tensor w = parameter({1});
  expect_error("no parameters", [] { SGD(std::vector<Tensor>{}); });
  expect_error("parameter 1 is given twice", [&] { SGD({w, w}); });
  expect_error("two parameters are named a", [&] { SGD({{"a", w}, {"a", parameter({1})}}); });
  expect_error("result of a computation", [&] { SGD({w * w}); });
  expect_error("parameter b is int64", [&] { Adam({{"b", zeros({1}, {.dtype = int64})}}); });
  expect_error("lie apart", [&] { SGD({zeros({4, 4}).expand({3, 4, 4})}); });
  expect_error("undefined", [&] { SGD({Tensor()}); });
}

TEST(Optimizer, RefusesSettingsOutOfRange) {
  Tensor w = parameter({1});
  expect_error("SGD: lr must be 0 or more, got -1", [&] { SGD({w}, {.lr = -1}); });
  expect_error("Nesterov", [&] { SGD({w}, {.nesterov = true}); });
  expect_error("AdamW: betas must be below 1", [&] { AdamW({w}, {.betas = {0.9, 1}}); });
  expect_error("there is no setting 'momentum'", [&] { Adam({ParamGroup({w}, {{"momentum", 0.9}})}); });
  expect_error("there are: lr, ", [&] { SGD({w}).param_groups()[0]["rate"] = 1; });
}

}  // namespace
}  // namespace espalier::optim
