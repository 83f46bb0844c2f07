#include <gtest/gtest.h>

#include <cmath>

#include <espalier/autograd/grad_mode.h>
#include <espalier/autograd/gradcheck.h>
#include <espalier/autograd/node.h>

#include "values.h"

namespace espalier::test {
namespace {

TEST(Grad, LeavesTheLeavesAlone) {
  Tensor a = leaf({1, 2}), b = leaf({3, 4});
  auto g = grad((a * b).sum(), {a});
  EXPECT_EQ(values(g[0]), (Values{3, 4}));
  EXPECT_FALSE(a.grad().defined());
  EXPECT_FALSE(b.grad().defined());
}

TEST(Grad, ReachesResultsInTheMiddle) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  Tensor c = b * b;
  auto g = grad(c, {b, a});
  EXPECT_EQ(values(g[0]), (Values{18}));
  EXPECT_EQ(values(g[1]), (Values{108}));
}

TEST(Grad, StopsAtItsTargets) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  bool ran = false;
  b.register_hook([&](const Tensor&) { return Tensor(); });
  a.register_hook([&](const Tensor&) {
    ran = true;
    return Tensor();
  });
  grad(b * b, {b});
  EXPECT_FALSE(ran);
}

TEST(Grad, SumsOverSeveralOutputs) {
  Tensor a = leaf({1, 2});
  auto g = grad({a * 2.0, a * a}, {a}, {.grad_outputs = {constant({1, 1}), constant({1, 10})}});
  EXPECT_EQ(values(g[0]), (Values{2 + 2, 2 + 40}));
}

TEST(Grad, OfATensorToItselfIsTheCotangent) {
  Tensor a = leaf({3});
  Tensor b = a * a;
  EXPECT_EQ(values(grad(b, {b})[0]), (Values{1}));
  EXPECT_EQ(values(grad(a, {a})[0]), (Values{1}));
}

TEST(Grad, SaysWhichInputHasNoPart) {
  Tensor a = leaf({1}), b = leaf({2});
  Tensor y = a * a;
  try {
    grad(y, {a, b}, {.retain_graph = true});
    FAIL() << "accepted";
  } catch (const GradError& e) {
    EXPECT_NE(e.message().find("input 1"), std::string::npos) << e.what();
    EXPECT_NE(e.message().find("allow_unused"), std::string::npos) << e.what();
  }
  auto g = grad(y, {a, b}, {.allow_unused = true});
  EXPECT_EQ(values(g[0]), (Values{2}));
  EXPECT_FALSE(g[1].defined());
}

TEST(Grad, RefusesInputsWithoutGradientAndWrongCotangents) {
  Tensor a = leaf({1, 2});
  EXPECT_THROW(grad((a * a).sum(), {constant({1})}), GradError);
  EXPECT_THROW(grad(a * a, {a}), GradError);
  EXPECT_THROW(grad(std::vector<Tensor>{a * a}, {a}, {.grad_outputs = {constant({1, 1}), constant({1, 1})}}),
               ValueError);
}

TEST(Grad, OfAGradientIsTheSecondDerivative) {
  Tensor x = leaf({2, 3});
  Tensor y = (x * x * x).sum();
  Tensor first = grad(y, {x}, {.create_graph = true})[0];
  EXPECT_EQ(values(first), (Values{12, 27}));
  Tensor second = grad(first.sum(), {x}, {.create_graph = true})[0];
  EXPECT_EQ(values(second), (Values{12, 18}));
  Tensor third = grad(second.sum(), {x})[0];
  EXPECT_EQ(values(third), (Values{6, 6}));
}

TEST(Grad, OfAGradientThroughASavedOutput) {
  Tensor x = leaf({0.5});
  Tensor first = grad(x.exp(), {x}, {.create_graph = true})[0];
  Tensor second = grad(first, {x})[0];
  EXPECT_DOUBLE_EQ(values(second)[0], std::exp(0.5));
}

TEST(Backward, OfAGradientPenaltyReachesTheLeaves) {
  Tensor x = leaf({2}), w = leaf({3});
  Tensor y = w * x * x;
  Tensor g = grad(y, {x}, {.create_graph = true})[0];  // 2 w x
  (g * g).sum().backward();                            // 4 w² x²
  EXPECT_EQ(values(w.grad()), (Values{8 * 3 * 4}));
  EXPECT_EQ(values(x.grad()), (Values{8 * 9 * 2}));
}

TEST(Gradcheck, AcceptsARightGradientAndFindsAWrongOne) {
  auto right = [](const std::vector<Tensor>& in) { return in[0] * in[1].exp(); };
  auto wrong = [](const std::vector<Tensor>& in) { return in[0] * in[1].detach().exp() + in[1] * 0.0; };
  std::vector<Tensor> in{leaf({1, -2}), leaf({0.3, 0.7})};
  EXPECT_EQ(gradcheck(right, in), "");
  EXPECT_EQ(gradgradcheck(right, in), "");
  EXPECT_NE(gradcheck(wrong, in), "");
}

TEST(Gradcheck, FindsAWrongSecondDerivative) {
  auto wrong = [](const std::vector<Tensor>& in) {
    return in[0] * in[0].detach() * 2.0 - (in[0] * in[0]).detach();  // x², its derivative 2x not on the tape
  };
  std::vector<Tensor> in{leaf({1, -2})};
  EXPECT_EQ(gradcheck(wrong, in), "");
  EXPECT_NE(gradgradcheck(wrong, in), "");
}

TEST(Tape, HoldsNoNodeLongerThanItsTensors) {
  int64_t before = live_nodes();
  {
    Tensor a = leaf({1, 2});
    Tensor y = (a.exp() * a).sum();
    EXPECT_GT(live_nodes(), before);
    y.backward({}, {.create_graph = true});
    Tensor g = a.grad();
    EXPECT_TRUE(g.requires_grad());
    a.set_grad({});  // the gradient's graph reaches a; without this the two would hold each other
  }
  EXPECT_EQ(live_nodes(), before);
}

TEST(Tape, ReleasesADeepGraphWithoutRecursion) {
  int64_t before = live_nodes();
  {
    Tensor a = leaf({1});
    Tensor y = a;
    for (int i = 0; i < 100000; ++i) y = y + 1.0;
    EXPECT_EQ(live_nodes() - before, 100000);
    y.backward({}, {.retain_graph = true});
    EXPECT_EQ(values(a.grad()), (Values{1}));
  }
  EXPECT_EQ(live_nodes(), before);
}

TEST(Tape, ReleasesADeepGraphOfSavedTensorsWithoutRecursion) {
  int64_t before = live_nodes();
  {
    Tensor a = leaf({1}), y = a;
    for (int i = 0; i < 100000; ++i) y = y * y;
  }
  EXPECT_EQ(live_nodes(), before);
}

TEST(Tape, SearchesADeepGraphWithoutRecursion) {
  Tensor a = leaf({1}), y = a;
  for (int i = 0; i < 100000; ++i) y = y + 1.0;
  EXPECT_EQ(values(grad(y, {a})[0]), (Values{1}));
}

}  // namespace
}  // namespace espalier::test
