#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/core/random.h>
#include <espalier/nn/module.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/lr_scheduler.h>
#include <espalier/optim/sgd.h>

namespace espalier::optim {
namespace {

// Two parameters and the gradients of a run of ten steps.
struct Problem {
  Problem() {
    manual_seed(3);
    weight = randn({4, 3});
    bias = randn({3});
    for (int i = 0; i < 10; ++i) grads.push_back({randn({4, 3}), randn({3})});
    weight.requires_grad_();
    bias.requires_grad_();
  }
  nn::Parameters named() const { return {{"fc.weight", weight}, {"fc.bias", bias}}; }
  void run(Optimizer& optimizer, int from, int to) {
    for (int i = from; i < to; ++i) {
      weight.set_grad(grads[i][0].clone());
      bias.set_grad(grads[i][1].clone());
      optimizer.step();
    }
  }

  Tensor weight, bias;
  std::vector<std::vector<Tensor>> grads;
};

using io::Tree;

const Tree& group(const Tree& state, size_t g = 0) { return state["param_groups"].items()[g]; }
const Tree& of(const Tree& state, int64_t parameter) { return *state["state"].find(parameter); }

std::string load_error(Optimizer& optimizer, const Tree& state) {
  try {
    optimizer.load_state_dict(state);
  } catch (const StateError& e) {
    return e.what();
  }
  return "no error";
}

void expect_part(const std::string& text, const std::string& part) {
  EXPECT_NE(text.find(part), std::string::npos) << text;
}

template <class Make>
void expect_resumes(const Make& make) {
  Problem whole;
  Optimizer optimizer = make(whole.named());
  whole.run(optimizer, 0, 10);

  Problem half;
  Optimizer first = make(half.named());
  half.run(first, 0, 6);
  Optimizer second = make(half.named());
  second.load_state_dict(first.state_dict());
  half.run(second, 6, 10);
  EXPECT_EQ(whole.weight.to_vector<float>(), half.weight.to_vector<float>());
  EXPECT_EQ(whole.bias.to_vector<float>(), half.bias.to_vector<float>());
}

TEST(OptimizerState, ARunGoesOnFromItBitForBit) {
  expect_resumes([](nn::Parameters p) { return SGD(p, {.lr = 0.1}); });
  expect_resumes([](nn::Parameters p) { return SGD(p, {.lr = 0.1, .momentum = 0.9, .dampening = 0.5}); });
  expect_resumes([](nn::Parameters p) { return Adam(p, {.lr = 0.1}); });
  expect_resumes([](nn::Parameters p) { return AdamW(p, {.lr = 0.1, .amsgrad = true}); });
}

TEST(OptimizerState, HasPyTorchsForm) {
  Problem problem;
  Adam optimizer(problem.named(), {.lr = 0.25});
  problem.run(optimizer, 0, 3);
  Tree state = optimizer.state_dict();
  EXPECT_EQ(of(state, 0)["step"].tensor().type->name, "float32");
  EXPECT_EQ(of(state, 0)["step"].number(), 3);
  EXPECT_EQ(of(state, 1)["exp_avg_sq"].tensor().shape, Shape({3}));
  EXPECT_EQ(group(state)["lr"].number(), 0.25);
  EXPECT_EQ(group(state)["betas"].items()[1].number(), 0.999);
  EXPECT_EQ(group(state)["amsgrad"].boolean(), false);
  EXPECT_EQ(group(state)["param_names"].items()[1].text(), "fc.bias");
  EXPECT_EQ(group(state)["params"].items()[1].integer(), 1);
}

TEST(OptimizerState, HoldsNothingOfParametersThatMadeNoStep) {
  Problem problem;
  Adam optimizer(problem.named());
  problem.weight.set_grad(problem.grads[0][0]);
  optimizer.step();
  EXPECT_TRUE(optimizer.state_dict()["state"].contains(0));
  EXPECT_FALSE(optimizer.state_dict()["state"].contains(1));
  EXPECT_EQ(SGD(problem.named()).state_dict()["state"].size(), 0u);
}

TEST(OptimizerState, FindsParametersByNameWhereverTheyStand) {
  Problem problem;
  Adam saved(problem.named());
  problem.run(saved, 0, 2);
  Adam turned({{"fc.bias", problem.bias}, {"fc.weight", problem.weight}});
  turned.load_state_dict(saved.state_dict());
  EXPECT_EQ(of(turned.state_dict(), 1)["exp_avg"].tensor().shape, Shape({4, 3}));
  Adam unnamed({problem.weight, problem.bias});
  unnamed.load_state_dict(saved.state_dict());
  EXPECT_EQ(of(unnamed.state_dict(), 0)["exp_avg"].tensor().shape, Shape({4, 3}));
}

struct Scale : nn::Module<Scale> {
  nn::Parameter weight{ones({2})};
  Tensor forward(const Tensor& x) { return x * weight; }
};
struct Net : nn::Module<Net> {
  Scale first, second;
  Tensor forward(const Tensor& x) { return second(first(x)); }
};

TEST(OptimizerState, KnowsTheNamesInAModel) {
  Net net;
  net(ones({2})).backward(ones({2}));
  AdamW optimizer(net.parameters());
  optimizer.step();
  EXPECT_EQ(of(optimizer.state_dict(), 1)["exp_avg"].tensor().shape, Shape({2}));
  EXPECT_EQ(optimizer.param_groups()[0].names, (std::vector<std::string>{"first.weight", "second.weight"}));
}

TEST(OptimizerState, LoadingCopiesValuesAndSettings) {
  Problem problem;
  Adam saved(problem.named(), {.lr = 0.25});
  problem.run(saved, 0, 2);
  Adam loaded(problem.named(), {.lr = 0.5});
  Tree state = saved.state_dict();
  loaded.load_state_dict(state);
  EXPECT_EQ(loaded.param_groups()[0]["lr"], 0.25);
  problem.run(loaded, 2, 3);
  EXPECT_EQ(of(state, 0)["step"].number(), 2);
  EXPECT_EQ(of(saved.state_dict(), 0)["step"].number(), 2);
  EXPECT_NE(Tensor(of(loaded.state_dict(), 1)["exp_avg"].array()).to_vector<float>(),
            Tensor(of(saved.state_dict(), 1)["exp_avg"].array()).to_vector<float>());
}

// A copy with one item of one part replaced.
Tree with(Tree tree, const std::string& key, Tree value) {
  tree.set(key, std::move(value));
  return tree;
}

TEST(OptimizerState, OneErrorListsAllThatDoesNotFitAndNothingChanges) {
  Problem problem;
  Adam optimizer(problem.named(), {.lr = 0.5});
  problem.run(optimizer, 0, 2);
  Tree good = optimizer.state_dict(), state = good;
  Tree parts = Tree::dict();
  parts.set(0, with(of(good, 0), "exp_avg", zeros({3, 4})));
  parts.set(1, with(with(of(good, 1), "step", 1.5), "momentum_buffer", zeros({3})));
  parts.set(7, of(good, 1));
  state.set("state", parts);
  Tree settings = with(with(group(good), "lr", 0.125), "betas", Tree::tuple({2.0, 0.9}));
  settings.set("eps", "small");
  state.set("param_groups", Tree::list({settings}));
  std::string text = load_error(optimizer, state);
  expect_part(text, "state[0] of fc.weight.exp_avg: saved with shape [3, 4], needed [4, 3]");
  expect_part(text, "unexpected: state[1] of fc.bias.momentum_buffer");
  expect_part(text, "unexpected: state[7]");
  expect_part(text, "state[1] of fc.bias.step: must be a count, got 1.5");
  expect_part(text, "param_groups[0].eps: it is a text, not a number");
  expect_part(text, "betas must be below 1");
  EXPECT_EQ(optimizer.param_groups()[0]["lr"], 0.5);
  EXPECT_EQ(of(optimizer.state_dict(), 1)["step"].number(), 2);
}

TEST(OptimizerState, IsNotTakenFromAnotherKind) {
  Problem problem;
  SGD sgd(problem.named());
  Adam adam(problem.named());
  AdamW adamw(problem.named());
  expect_part(load_error(sgd, adam.state_dict()), "missing: param_groups[0].momentum");
  expect_part(load_error(adam, adamw.state_dict()), "it was saved by AdamW");
  expect_part(load_error(adam, Tree{{"epoch", 3}}), "missing: param_groups");
  expect_part(load_error(adam, Tree(3)), "missing: state");
}

TEST(OptimizerState, NeedsTheSameGroups) {
  Problem problem;
  SGD one(problem.named()),
      two({ParamGroup(nn::Parameters{problem.weight}), ParamGroup(nn::Parameters{problem.bias})});
  SGD fewer(nn::Parameters{problem.weight});
  expect_part(load_error(one, two.state_dict()), "saved with 2 groups of parameters, here are 1");
  expect_part(load_error(fewer, one.state_dict()), "param_groups[0]: saved with 2 parameters, here are 1");
}

TEST(ScheduleState, GivesTheSameRatesAfterAResume) {
  Problem problem;
  SGD optimizer(problem.named(), {.lr = 0.5});
  CosineAnnealingLR schedule(optimizer, 10, {.eta_min = 0.01});
  std::vector<double> rates, resumed;
  Tree saved;
  for (int epoch = 0; epoch < 8; ++epoch) {
    if (epoch == 4) saved = schedule.state_dict();
    rates.push_back(schedule.get_last_lr()[0]);
    schedule.step();
  }
  // The optimizer's own state is not needed for it.
  SGD fresh(problem.named(), {.lr = 0.5});
  CosineAnnealingLR again(fresh, 10, {.eta_min = 0.01});
  again.load_state_dict(saved);
  for (int epoch = 4; epoch < 8; ++epoch) {
    resumed.push_back(again.get_last_lr()[0]);
    EXPECT_EQ(resumed.back(), fresh.param_groups()[0]["lr"]);
    again.step();
  }
  EXPECT_EQ(resumed, std::vector<double>(rates.begin() + 4, rates.end()));
}

TEST(ScheduleState, RefusesWhatDoesNotFit) {
  Problem problem;
  SGD optimizer(problem.named(), {.lr = 0.5});
  StepLR schedule(optimizer, 2);
  EXPECT_THROW(schedule.load_state_dict(Tree{{"last_epoch", 2}}), StateError);
  EXPECT_THROW(schedule.load_state_dict(with(schedule.state_dict(), "base_lrs", Tree::list())), StateError);
  EXPECT_THROW(CosineAnnealingLR(optimizer, 4).load_state_dict(schedule.state_dict()), StateError);
  EXPECT_THROW(StepLR(optimizer, 0), ValueError);
}

}  // namespace
}  // namespace espalier::optim
