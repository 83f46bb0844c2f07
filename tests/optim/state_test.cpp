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

std::string load_error(Optimizer& optimizer, const StateDict& state) {
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

TEST(OptimizerState, StandsUnderParametersNames) {
  Problem problem;
  Adam optimizer(problem.named(), {.lr = 0.25});
  problem.run(optimizer, 0, 3);
  StateDict state = optimizer.state_dict();
  EXPECT_EQ(state.kind, "Adam");
  EXPECT_EQ(state.tensors[0].first, "fc.weight.exp_avg");
  EXPECT_EQ(state.tensor("fc.bias.exp_avg_sq")->shape(), Shape({3}));
  EXPECT_EQ(*state.value("fc.weight.step"), 3);
  EXPECT_EQ(*state.value("group.0.lr"), 0.25);
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
  EXPECT_EQ(optimizer.state_dict().tensor("second.weight.exp_avg")->shape(), Shape({2}));
  EXPECT_EQ(optimizer.param_groups()[0].names, (std::vector<std::string>{"first.weight", "second.weight"}));
}

TEST(OptimizerState, LoadingCopiesValuesAndSettings) {
  Problem problem;
  Adam saved(problem.named(), {.lr = 0.25});
  problem.run(saved, 0, 2);
  Adam loaded(problem.named(), {.lr = 0.5});
  StateDict state = saved.state_dict();
  loaded.load_state_dict(state);
  EXPECT_EQ(loaded.param_groups()[0]["lr"], 0.25);
  problem.run(loaded, 2, 3);
  EXPECT_EQ(*state.value("fc.weight.step"), 2);
  EXPECT_EQ(*saved.state_dict().value("fc.weight.step"), 2);
  EXPECT_NE(loaded.state_dict().tensor("fc.bias.exp_avg")->to_vector<float>(),
            saved.state_dict().tensor("fc.bias.exp_avg")->to_vector<float>());
}

TEST(OptimizerState, OneErrorListsAllThatDoesNotFitAndNothingChanges) {
  Problem problem;
  Adam optimizer(problem.named(), {.lr = 0.5});
  problem.run(optimizer, 0, 2);
  StateDict state = optimizer.state_dict();
  state.tensors[0].second = zeros({3, 4});
  state.tensors[1].first = "fc2.weight.exp_avg_sq";
  for (auto& [name, value] : state.values) {
    if (name == "fc.bias.step") value = 1.5;
    if (name == "fc.bias.group") value = 1;
    if (name == "group.0.beta1") value = 2;
    if (name == "group.0.lr") value = 0.125;
  }
  std::string text = load_error(optimizer, state);
  expect_part(text, "fc.weight.exp_avg: saved with shape [3, 4], needed [4, 3]");
  expect_part(text, "missing: fc.weight.exp_avg_sq");
  expect_part(text, "unexpected: fc2.weight.exp_avg_sq");
  expect_part(text, "fc.bias.step: must be a count, got 1.5");
  expect_part(text, "fc.bias: saved in group 1, here in group 0");
  expect_part(text, "betas must be below 1");
  EXPECT_EQ(optimizer.param_groups()[0]["lr"], 0.5);
  EXPECT_EQ(*optimizer.state_dict().value("fc.bias.step"), 2);
}

TEST(OptimizerState, IsNotTakenFromAnotherKind) {
  Problem problem;
  SGD optimizer(problem.named());
  expect_part(load_error(optimizer, Adam(problem.named()).state_dict()),
              "the saved state is of Adam, but this is SGD");
}

TEST(ScheduleState, GivesTheSameRatesAfterAResume) {
  Problem problem;
  SGD optimizer(problem.named(), {.lr = 0.5});
  CosineAnnealingLR schedule(optimizer, 10, {.eta_min = 0.01});
  std::vector<double> rates, resumed;
  StateDict saved;
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
  StateDict state = schedule.state_dict();
  state.values.pop_back();
  EXPECT_THROW(schedule.load_state_dict(state), StateError);
  EXPECT_THROW(CosineAnnealingLR(optimizer, 4).load_state_dict(schedule.state_dict()), StateError);
  EXPECT_THROW(StepLR(optimizer, 0), ValueError);
}

}  // namespace
}  // namespace espalier::optim
