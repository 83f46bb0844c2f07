#include <gtest/gtest.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/node.h>

#include "values.h"

namespace espalier::test {
namespace {

// The text of the GradError that `f` throws.
template <class F>
std::string fault(F&& f) {
  try {
    f();
  } catch (const GradError& e) {
    return e.message();
  }
  return "no error";
}

bool says(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(Backward, GivesEveryLeafItsGradient) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  (a * b + a).sum().backward();
  EXPECT_EQ(values(a.grad()), (Values{4, 5}));
  EXPECT_EQ(values(b.grad()), (Values{1, 2}));
}

TEST(Backward, AddsToWhatIsThere) {
  Tensor a = leaf({1, 2});
  for (int i = 0; i < 3; ++i) (a * a).sum().backward();
  EXPECT_EQ(values(a.grad()), (Values{6, 12}));
}

TEST(Backward, SumsTheUsesOfATensor) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  Tensor c = b * b + b + a;
  c.sum().backward();
  EXPECT_EQ(values(a.grad()), (Values{4 * 27 + 2 * 3 + 1}));
}

TEST(Backward, SumsOverBroadcastDimensions) {
  Tensor a = leaf({1, 2, 3}), s = leaf({10});
  (a * s).sum().backward();
  EXPECT_EQ(values(s.grad()), (Values{6}));
  EXPECT_EQ(s.grad().shape(), (Shape{1}));
}

TEST(Backward, GivesGradientsInTheDTypeOfTheLeaf) {
  Tensor a = leaf({1, 2}, float32), b = leaf({3, 4}, float64);
  (a * b).sum().backward();
  EXPECT_EQ(a.grad().dtype(), float32);
  EXPECT_EQ(b.grad().dtype(), float64);
}

TEST(Backward, TakesACotangentForMoreThanOneElement) {
  Tensor a = leaf({1, 2});
  Tensor y = a * a;
  EXPECT_TRUE(says(fault([&] { y.backward(); }), "needs a gradient argument"));
  EXPECT_THROW(y.backward(constant({1, 2, 3})), ShapeError);
  y.backward(constant({1, 10}));
  EXPECT_EQ(values(a.grad()), (Values{2, 40}));
}

TEST(Backward, OfALeafIsItsCotangent) {
  Tensor a = leaf({5});
  a.backward();
  EXPECT_EQ(values(a.grad()), (Values{1}));
}

TEST(Backward, DoesNotShareTheGradientsOfTwoLeaves) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  Tensor seed = constant({1, 1});
  (a + b).backward(seed);
  a.grad().zero_();
  EXPECT_EQ(values(b.grad()), (Values{1, 1}));
  EXPECT_EQ(values(seed), (Values{1, 1}));
}

TEST(Backward, ASecondTimeNeedsARetainedGraph) {
  Tensor a = leaf({2});
  Tensor y = a * a;
  y.backward({}, {.retain_graph = true});
  y.backward();
  EXPECT_EQ(values(a.grad()), (Values{8}));
  std::string text = fault([&] { y.backward(); });
  EXPECT_TRUE(says(text, "second time") && says(text, "mul") && says(text, "retain_graph")) << text;
}

TEST(Backward, RefusesWhatNeedsNoGradient) {
  Tensor a = constant({2});
  EXPECT_TRUE(says(fault([&] { (a * a).backward(); }), "needs no gradient"));
}

TEST(Backward, LeavesTheGraphUsableAfterAFault) {
  Tensor a = leaf({2});
  Tensor b = a * a;
  Tensor y = b + b;
  int calls = 0;
  b.register_hook([&](const Tensor&) -> Tensor {
    if (++calls == 1) throw ValueError("from a hook");
    return {};
  });
  EXPECT_THROW(y.backward({}, {.retain_graph = true}), ValueError);
  EXPECT_FALSE(a.grad().defined());
  y.backward();
  EXPECT_EQ(values(a.grad()), (Values{8}));
}

TEST(InPlace, OnASavedInputIsAnErrorThatNamesTheOperation) {
  Tensor a = leaf({2, 3}), b = constant({4, 5});
  Tensor y = (a * b).sum();
  b.add_(1);
  std::string text = fault([&] { y.backward(); });
  EXPECT_TRUE(says(text, "mul") && says(text, "in place")) << text;
}

TEST(InPlace, OnASavedOutputIsAnErrorThatNamesTheOperation) {
  Tensor a = leaf({2, 3});
  Tensor e = a.exp();
  Tensor y = e.sum();
  e.add_(1);
  std::string text = fault([&] { y.backward(); });
  EXPECT_TRUE(says(text, "exp") && says(text, "in place")) << text;
}

TEST(InPlace, ThroughAViewOrADetachedTensorIsSeenToo) {
  Tensor a = leaf({2, 3});
  Tensor e = a.exp();
  Tensor y = e.sum();
  e.detach().zero_();
  EXPECT_TRUE(says(fault([&] { y.backward(); }), "in place"));
}

TEST(InPlace, OnATensorThatNothingSavedIsRecorded) {
  Tensor a = leaf({2, 3});
  Tensor b = a + 1.0;
  b.mul_(constant({10, 20}));
  b.sum().backward();
  EXPECT_EQ(values(a.grad()), (Values{10, 20}));
}

TEST(InPlace, OnALeafNeedsNoGrad) {
  Tensor a = leaf({2, 3});
  EXPECT_TRUE(says(fault([&] { a.add_(1); }), "NoGrad"));
  {
    NoGrad guard;
    a.add_(1);
  }
  EXPECT_EQ(values(a), (Values{3, 4}));
  EXPECT_TRUE(a.requires_grad() && a.is_leaf());
}

TEST(InPlace, OnAnExpandedTensorIsRefused) {
  Tensor a = constant({1}).expand({3});
  EXPECT_THROW(a.add_(1), ValueError);
}

TEST(Detach, SharesValuesButNotTheTape) {
  Tensor a = leaf({2});
  Tensor d = (a * a).detach();
  EXPECT_FALSE(d.requires_grad());
  Tensor y = a * d;
  y.backward();
  EXPECT_EQ(values(a.grad()), (Values{4}));
  Tensor same = a.detach();
  same.fill_(7);
  EXPECT_EQ(values(a), (Values{7}));
}

TEST(NoGrad, RecordsNothingInItsScope) {
  Tensor a = leaf({2});
  {
    NoGrad guard;
    EXPECT_FALSE((a * a).requires_grad());
    {
      EnableGrad again;
      EXPECT_TRUE((a * a).requires_grad());
    }
    EXPECT_FALSE(grad_enabled());
  }
  EXPECT_TRUE((a * a).requires_grad());
}

TEST(RequiresGrad, IsForFloatingPointLeaves) {
  Tensor whole(Array::empty({2}, int64));
  EXPECT_THROW(whole.requires_grad_(), DTypeError);
  Tensor a = leaf({1});
  EXPECT_TRUE(says(fault([&] { (a * a).requires_grad_(false); }), "detach()"));
}

TEST(RetainGrad, KeepsTheGradientOfAResult) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  b.retain_grad();
  (b * b).sum().backward();
  EXPECT_EQ(values(b.grad()), (Values{18}));
}

TEST(RetainGrad, OfATensorThatIsGoneDoesNoHarm) {
  Tensor a = leaf({3}), y;
  {
    Tensor b = a * a;
    b.retain_grad();
    y = b + b;
  }
  y.backward();
  EXPECT_EQ(values(a.grad()), (Values{12}));
}

TEST(Hook, SeesAndReplacesTheGradient) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  Values seen;
  b.register_hook([&](const Tensor& g) {
    seen = values(g);
    return Tensor();
  });
  b.register_hook([](const Tensor& g) { return g * 10.0; });
  (b + b).sum().backward();
  EXPECT_EQ(seen, (Values{2}));  // once, with the whole gradient
  EXPECT_EQ(values(a.grad()), (Values{120}));
}

TEST(Hook, OfALeafActsOnItsGradient) {
  Tensor a = leaf({3});
  a.register_hook([](const Tensor& g) { return -g; });
  (a * 2.0).sum().backward();
  EXPECT_EQ(values(a.grad()), (Values{-2}));
  EXPECT_THROW(constant({1}).register_hook([](const Tensor& g) { return g; }), GradError);
}

TEST(SetGrad, KeepsTheShape) {
  Tensor a = leaf({1, 2});
  EXPECT_THROW(a.set_grad(constant({1})), ShapeError);
  a.set_grad(constant({5, 6}));
  EXPECT_EQ(values(a.grad()), (Values{5, 6}));
  a.set_grad({});
  EXPECT_FALSE(a.grad().defined());
}

}  // namespace
}  // namespace espalier::test
