#include <golden/golden.h>

#include <espalier/ops/loss.h>

namespace espalier {
namespace {

constexpr Reduction kReductions[] = {Reduction::none, Reduction::mean, Reduction::sum};

// The loss and its gradient in the three reductions.
template <class Loss>
void check(const std::string& name, const Loss& loss) {
  test::Golden golden("losses");
  for (Reduction reduction : kReductions) {
    std::string row = concat(name, "_", espalier::name(reduction));
    Tensor x = golden(row, "input.x").clone().requires_grad_();
    auto given = [&](const char* what) {
      auto found = golden.all(row, concat("input.", what));
      return found.empty() ? Tensor() : found[0].second;
    };
    Tensor y = loss(x, golden(row, "input.target"), given, reduction);
    test::expect_close(y, golden(row, "output"), 1e-13, row);
    y.backward(golden(row, "input.cotangent"));
    test::expect_close(x.grad(), golden(row, "grad.x"), 1e-13, row + ", gradient");
  }
}

void check_cross_entropy(const std::string& name, double label_smoothing, int64_t ignore_index) {
  check(name, [=](const Tensor& x, const Tensor& target, auto given, Reduction reduction) {
    return cross_entropy(x, target,
                         {.weight = given("weight"),
                          .ignore_index = ignore_index,
                          .reduction = reduction,
                          .label_smoothing = label_smoothing});
  });
}

TEST(GoldenLosses, CrossEntropyIsPyTorchs) {
  check_cross_entropy("cross_entropy", 0, -100);
  check_cross_entropy("cross_entropy_weight", 0, -100);
  check_cross_entropy("cross_entropy_smoothing", 0.1, -100);
  check_cross_entropy("cross_entropy_ignore", 0, -100);
  check_cross_entropy("cross_entropy_all", 0.2, 2);
  check_cross_entropy("cross_entropy_soft", 0, -100);
  check_cross_entropy("cross_entropy_soft_all", 0.2, -100);
  check_cross_entropy("cross_entropy_image", 0, -100);
}

TEST(GoldenLosses, NllLossIsPyTorchs) {
  for (auto [name, ignore] : {std::pair("nll_loss", -100), std::pair("nll_loss_all", 2)}) {
    check(name, [ignore = ignore](const Tensor& x, const Tensor& target, auto given, Reduction reduction) {
      return nll_loss(x.log_softmax(1), target,
                      {.weight = given("weight"), .ignore_index = ignore, .reduction = reduction});
    });
  }
}

TEST(GoldenLosses, LossesOfElementsArePyTorchs) {
  check("mse_loss", [](const Tensor& x, const Tensor& target, auto, Reduction r) {
    return mse_loss(x, target, {.reduction = r});
  });
  check("l1_loss", [](const Tensor& x, const Tensor& target, auto, Reduction r) {
    return l1_loss(x, target, {.reduction = r});
  });
  for (const char* name : {"bce_with_logits", "bce_with_logits_all"}) {
    check(name, [](const Tensor& x, const Tensor& target, auto given, Reduction r) {
      return binary_cross_entropy_with_logits(
          x, target, {.weight = given("weight"), .reduction = r, .pos_weight = given("pos_weight")});
    });
  }
}

}  // namespace
}  // namespace espalier
