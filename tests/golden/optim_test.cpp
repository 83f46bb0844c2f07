#include <golden/golden.h>

#include <espalier/ops/creation.h>
#include <espalier/optim/adam.h>
#include <espalier/optim/lr_scheduler.h>
#include <espalier/optim/sgd.h>

namespace espalier::optim {
namespace {

// Ten steps with the file's gradients; those of `b` are absent at the third.
template <class Kind, class Options>
void run(const std::string& name, const Options& options, double tolerance) {
  test::Golden golden("optim");
  Tensor a = golden(name, "param.a").clone().requires_grad_(),
         b = golden(name, "param.b").clone().requires_grad_();
  Kind optimizer({a, b}, options);
  for (int step = 0; step < 10; ++step) {
    optimizer.zero_grad();
    a.set_grad(test::row(golden(name, "grad.a"), step));
    if (step != 2) b.set_grad(test::row(golden(name, "grad.b"), step));
    optimizer.step();
    std::string what = concat(name, " after step ", step);
    test::expect_close(a, test::row(golden(name, "after.a"), step), tolerance, what);
    test::expect_close(b, test::row(golden(name, "after.b"), step), tolerance, what);
  }
}

template <class Kind, class Options>
void check(const std::string& name, const Options& options) {
  run<Kind>(name, options, 1e-14);
  run<Kind>(name + "_float32", options, 5e-7);
}

TEST(GoldenOptimizers, SgdIsPyTorchs) {
  check<SGD>("sgd", SGDOptions{.lr = 0.1});
  check<SGD>("sgd_weight_decay", SGDOptions{.lr = 0.1, .weight_decay = 0.05});
  check<SGD>("sgd_momentum", SGDOptions{.lr = 0.1, .momentum = 0.9});
  check<SGD>("sgd_dampening", SGDOptions{.lr = 0.1, .momentum = 0.9, .dampening = 0.3, .weight_decay = 0.05});
  check<SGD>("sgd_nesterov", SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05, .nesterov = true});
  check<SGD>("sgd_maximize", SGDOptions{.lr = 0.1, .momentum = 0.9, .weight_decay = 0.05, .maximize = true});
}

TEST(GoldenOptimizers, AdamIsPyTorchs) {
  check<Adam>("adam", AdamOptions{.lr = 0.01});
  check<Adam>("adam_settings",
              AdamOptions{.lr = 0.02, .betas = {0.8, 0.95}, .eps = 1e-4, .weight_decay = 0.1});
  check<Adam>("adam_slow", AdamOptions{.lr = 0.02, .betas = {0.3, 0.5}});
  check<Adam>("adam_amsgrad", AdamOptions{.lr = 0.01, .amsgrad = true});
  check<Adam>("adam_maximize", AdamOptions{.lr = 0.01, .maximize = true});
}

TEST(GoldenOptimizers, AdamWIsPyTorchs) {
  check<AdamW>("adamw", AdamWOptions{.lr = 0.01});
  check<AdamW>("adamw_weight_decay", AdamWOptions{.lr = 0.01, .weight_decay = 0.3});
  check<AdamW>("adamw_amsgrad", AdamWOptions{.lr = 0.01, .amsgrad = true});
}

template <class Make>
void check_schedule(const std::string& name, const Make& make) {
  Tensor wanted = test::Golden("optim")(name, "output");
  Tensor first = zeros({1}), second = zeros({1});
  SGD optimizer({ParamGroup({first}), ParamGroup({second}, {{"lr", 0.02}})}, {.lr = 0.5});
  LRScheduler schedule = make(optimizer);
  for (int64_t epoch = 0; epoch < wanted.size(0); ++epoch) {
    auto rates = test::row(wanted, epoch).to_vector<double>();
    for (size_t g = 0; g < 2; ++g) {
      EXPECT_NEAR(schedule.get_last_lr()[g], rates[g], 1e-12)
          << name << ", epoch " << epoch << ", group " << g;
      EXPECT_EQ(optimizer.param_groups()[g]["lr"], schedule.get_last_lr()[g]);
    }
    schedule.step();
  }
}

TEST(GoldenSchedules, AreOnPyTorchsCurve) {
  check_schedule("step_lr", [](Optimizer o) { return StepLR(o, 3); });
  check_schedule("step_lr_half", [](Optimizer o) { return StepLR(o, 4, {.gamma = 0.5}); });
  check_schedule("cosine", [](Optimizer o) { return CosineAnnealingLR(o, 10); });
  check_schedule("cosine_eta_min", [](Optimizer o) { return CosineAnnealingLR(o, 7, {.eta_min = 0.01}); });
}

}  // namespace
}  // namespace espalier::optim
