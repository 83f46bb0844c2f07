#include <golden/golden.h>

#include <espalier/io/checkpoint.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/lr_scheduler.h>
#include <espalier/optim/sgd.h>

namespace espalier::optim {
namespace {

std::vector<Tensor> tensors(const io::Tree& list) {
  std::vector<Tensor> out;
  for (auto& item : list.items()) out.push_back(Tensor(item.array()));
  return out;
}

struct Kind {
  const char* name;
  Optimizer (*optimizer)(std::vector<ParamGroup> groups);
  LRScheduler (*schedule)(Optimizer optimizer);
};

// Settings differ from those that were saved.
constexpr Kind kKinds[] = {
    {"SGD", [](auto groups) -> Optimizer { return SGD(groups, {.momentum = 0.1}); },
     [](Optimizer o) -> LRScheduler { return StepLR(o, 7); }},
    {"Adam", [](auto groups) -> Optimizer { return Adam(groups); },
     [](Optimizer o) -> LRScheduler { return CosineAnnealingLR(o, 7); }},
    {"AdamW", [](auto groups) -> Optimizer { return AdamW(groups); },
     [](Optimizer o) -> LRScheduler { return StepLR(o, 7); }},
};

// PyTorch made three steps; three more lead to the parameters that PyTorch came to.
void go_on(const Kind& kind, const io::Tree& saved) {
  SCOPED_TRACE(kind.name);
  std::vector<Tensor> parameters;
  for (auto& p : tensors(saved["parameters"])) parameters.push_back(p.clone().requires_grad_());
  std::vector<ParamGroup> groups{ParamGroup(parameters)};
  if (saved["optimizer"]["param_groups"].size() == 2) {
    groups = {ParamGroup(nn::Parameters{parameters[0]}), ParamGroup(nn::Parameters{parameters[1]})};
  }
  Optimizer optimizer = kind.optimizer(groups);
  LRScheduler schedule = kind.schedule(optimizer);
  optimizer.load_state_dict(saved["optimizer"]);
  schedule.load_state_dict(saved["schedule"]);
  EXPECT_EQ(schedule.last_epoch(), 3);
  for (auto& step : saved["grads"].items()) {
    std::vector<Tensor> grads = tensors(step);
    for (size_t i = 0; i < parameters.size(); ++i) parameters[i].set_grad(grads[i]);
    optimizer.step();
    schedule.step();
  }
  std::vector<Tensor> after = tensors(saved["after"]);
  for (size_t i = 0; i < parameters.size(); ++i) {
    test::expect_close(parameters[i], after[i], 1e-12, concat(kind.name, " parameter ", i));
  }
  for (size_t g = 0; g < optimizer.param_groups().size(); ++g) {
    EXPECT_NEAR(optimizer.param_groups()[g]["lr"], saved["rates"].items()[g].number(), 1e-14);
  }
}

TEST(GoldenCheckpoints, TrainingOfPyTorchs2_13GoesOn) {
  io::Tree saved = load("golden/checkpoint_2.13.pt");
  for (const Kind& kind : kKinds) go_on(kind, saved[kind.name]);
}

TEST(GoldenCheckpoints, TrainingOfPyTorchs1_13GoesOn) {
  io::Tree saved = load("golden/checkpoint_1.13.pt");
  for (const Kind& kind : kKinds) go_on(kind, saved[kind.name]);
}

// All that PyTorch 2.13 saves of an optimizer or a schedule has the same place, kind and value here.
void expect_same(const io::Tree& ours, const io::Tree& theirs, const std::string& where) {
  using Kind = io::Tree::Kind;
  if (theirs.is(Kind::dict)) {
    std::vector<std::string> keys, wanted;
    for (auto& [key, value] : ours.entries()) keys.push_back(io::Tree::key_text(key));
    for (auto& [key, value] : theirs.entries()) wanted.push_back(io::Tree::key_text(key));
    ASSERT_EQ(keys, wanted) << where;
    for (auto& [key, value] : theirs.entries()) {
      expect_same(*ours.find(key), value, where + "." + io::Tree::key_text(key));
    }
  } else if (theirs.is(Kind::list) || theirs.is(Kind::tuple)) {
    ASSERT_EQ(ours.kind(), theirs.kind()) << where;
    ASSERT_EQ(ours.size(), theirs.size()) << where;
    for (size_t i = 0; i < theirs.size(); ++i) expect_same(ours.items()[i], theirs.items()[i], where);
  } else if (theirs.is(Kind::tensor)) {
    EXPECT_EQ(ours.tensor().type, theirs.tensor().type) << where;
    test::expect_close(Tensor(ours.array()), Tensor(theirs.array()), 0, where);
  } else if (theirs.is(Kind::real) || theirs.is(Kind::integer)) {
    EXPECT_NEAR(ours.number(), theirs.number(), 1e-15) << where;  // rates are computed in another order
  } else {
    EXPECT_EQ(ours.kind(), theirs.kind()) << where;
    if (theirs.is(Kind::boolean)) {
      EXPECT_EQ(ours.boolean(), theirs.boolean()) << where;
    }
  }
}

TEST(GoldenCheckpoints, StatesHaveTheFormOfPyTorch2_13) {
  io::Tree all = load("golden/checkpoint_2.13.pt");
  for (const Kind& kind : kKinds) {
    const io::Tree& saved = all[kind.name];
    std::vector<Tensor> parameters = tensors(saved["parameters"]);
    std::vector<ParamGroup> groups{ParamGroup(parameters)};
    if (saved["optimizer"]["param_groups"].size() == 2) {
      groups = {ParamGroup(nn::Parameters{parameters[0]}), ParamGroup(nn::Parameters{parameters[1]})};
    }
    Optimizer optimizer = kind.optimizer(groups);
    LRScheduler schedule = kind.schedule(optimizer);
    optimizer.load_state_dict(saved["optimizer"]);
    expect_same(optimizer.state_dict(), saved["optimizer"], concat(kind.name, ".optimizer"));
    schedule.load_state_dict(saved["schedule"]);
    expect_same(schedule.state_dict(), saved["schedule"], concat(kind.name, ".schedule"));
  }
}

}  // namespace
}  // namespace espalier::optim
