#include <espalier/trace/tracer.h>

#include <gtest/gtest.h>

#include <cmath>

#include <espalier/ops/creation.h>

namespace espalier::trace {
namespace {

// A module's call, as nn reports it.
template <class F>
Tensor in_module(const std::string& path, const std::string& kind, const Tensor& x, F&& forward) {
  recorder()->enter({.path = path, .kind = kind}, {&x, 1});
  Tensor y = forward(x);
  recorder()->leave({&y, 1});
  return y;
}

Record two_layers(Options options = {}) {
  Tracer tracer(options);
  Tensor w = tensor(std::vector<float>{2, 0, 2});
  tracer.name(w, "a.weight");
  RecorderScope scope(&tracer);
  in_module("", "Net", tensor(std::vector<float>{1, 2, -3}), [&](const Tensor& x) {
    Tensor h = in_module("a", "Scale", x, [&](const Tensor& in) { return in * w; });
    return h + x;
  });
  return tracer.take();
}

TEST(Tracer, CallsNestAsTheyRan) {
  Record r = two_layers();
  ASSERT_EQ(r.calls.size(), 4u);
  EXPECT_EQ(r.calls[0].kind, "Net");
  EXPECT_EQ(r.calls[0].parent, -1);
  EXPECT_EQ(r.calls[1].kind, "Scale");
  EXPECT_EQ(r.calls[1].parent, 0);
  EXPECT_EQ(r.calls[2].kind, "mul");
  EXPECT_EQ(r.calls[2].path, "a");
  EXPECT_EQ(r.calls[2].parent, 1);
  EXPECT_EQ(r.calls[3].kind, "add");
  EXPECT_EQ(r.calls[3].parent, 0);
}

TEST(Tracer, TensorsAreKnownByTheirProducer) {
  Record r = two_layers();
  const Call& mul = r.calls[2];
  ASSERT_EQ(mul.inputs.size(), 2u);
  EXPECT_EQ(r.tensors[mul.inputs[0]].producer, -1);
  EXPECT_EQ(r.tensors[mul.inputs[1]].name, "a.weight");
  EXPECT_EQ(r.tensors[mul.outputs[0]].producer, 2);
  EXPECT_EQ(r.calls[1].outputs, mul.outputs);
  EXPECT_EQ(r.calls[3].inputs, (std::vector<int64_t>{mul.outputs[0], mul.inputs[0]}));
}

TEST(Tracer, StatsSumUpValues) {
  Record r = two_layers();
  const auto& s = r.tensors[r.calls[2].outputs[0]].stats;  // 2, 0, -6
  ASSERT_TRUE(s);
  EXPECT_NEAR(s->mean, -4.0 / 3, 1e-12);
  EXPECT_NEAR(s->std, std::sqrt((4 + 0 + 36) / 3.0 - 16.0 / 9), 1e-6);
  EXPECT_EQ(s->min, -6);
  EXPECT_EQ(s->max, 2);
  EXPECT_NEAR(s->zeros, 1.0 / 3, 1e-12);
}

TEST(Tracer, AShapesRecordHasNoStats) {
  Record r = two_layers({.level = Level::shapes});
  for (const TensorInfo& t : r.tensors) EXPECT_FALSE(t.stats);
}

TEST(Tracer, KeepsValuesOfPathsThatMatch) {
  Record r = two_layers({.values = "a"});
  ASSERT_TRUE(r.tensors[r.calls[2].outputs[0]].values);
  EXPECT_EQ(r.tensors[r.calls[2].outputs[0]].values->data<float>()[2], -6);
  EXPECT_FALSE(r.tensors[r.calls[3].outputs[0]].values);
}

TEST(Tracer, BackwardTimeGoesToTheOperationThatRan) {
  Tracer tracer;
  RecorderScope scope(&tracer);
  Tensor x = tensor(std::vector<float>{1, 2}).requires_grad_();
  (x * x).backward(tensor(std::vector<float>{1, 1}));
  Record r = tracer.take();
  EXPECT_EQ(r.calls[0].kind, "mul");
  EXPECT_GT(r.calls[0].backward_seconds, 0);
}

TEST(Stages, AreInnermostModulesAndLooseOperations) {
  Record r = two_layers();
  EXPECT_EQ(stages(r), (std::vector<int64_t>{1, 3}));
}

TEST(Stats, CountWhatIsNotFinite) {
  Tensor x = tensor(std::vector<double>{1, NAN, INFINITY, 3});
  Stats s = stats(x.array());
  EXPECT_EQ(s.not_finite, 2);
  EXPECT_EQ(s.mean, 2);
  EXPECT_EQ(s.max, 3);
}

TEST(Stats, OfNothingAreZero) {
  Stats s = stats(zeros({0, 3}).array());
  EXPECT_EQ(s.mean, 0);
  EXPECT_EQ(s.not_finite, 0);
}

TEST(Matches, StarsStandForAnyText) {
  EXPECT_TRUE(matches("*", "a.b"));
  EXPECT_TRUE(matches("blocks.*.conv1", "blocks.12.conv1"));
  EXPECT_FALSE(matches("blocks.*.conv1", "blocks.12.conv2"));
  EXPECT_FALSE(matches("conv", "conv1"));
  EXPECT_TRUE(matches("", ""));
}

}  // namespace
}  // namespace espalier::trace
