#include <espalier/train/step_record.h>

#include <gtest/gtest.h>

#include <espalier/nn/nn.h>

namespace espalier::train {
namespace {

struct Net : nn::Module<Net> {
  nn::Linear fc{4, 2};
  Tensor forward(const Tensor& x) { return fc(x).relu(); }
};

void step(StepRecord& record, Net& net) {
  Tensor x(Array::empty({3, 4}, float32));
  x.fill_(1);
  trace::Tracer* tracer = record.begin();
  {
    RecorderScope scope(tracer);
    Tensor loss = net(x).sum();
    if (tracer) tracer->only_times();
    loss.backward();
  }
  if (tracer) record.end();
}

TEST(StepRecord, HoldsTheForwardAndTheTimesOfTheBackward) {
  Net net;
  StepRecord record(net.ref());
  for (int i = 0; i < 3; ++i) step(record, net);
  const trace::Record& r = record.get();
  std::vector<std::string> kinds;
  for (const auto& c : r.calls) kinds.push_back(c.kind);
  EXPECT_EQ(kinds, (std::vector<std::string>{"Net", "Linear", "linear", "relu", "sum"}));
  EXPECT_GT(r.calls[2].backward_seconds, 0);
  EXPECT_EQ(r.tensors[r.calls[2].inputs[1]].name, "fc.weight");
}

TEST(StepRecord, StopsAfterAFewSteps) {
  Net net;
  StepRecord record(net.ref());
  for (int i = 0; i < StepRecord::kSteps; ++i) step(record, net);
  EXPECT_EQ(record.begin(), nullptr);
}

}  // namespace
}  // namespace espalier::train
