#include <espalier/view/cost.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/models/seed_cnn.h>
#include <espalier/ops/creation.h>
#include <espalier/trace/tracer.h>
#include <espalier/view/data_flow.h>

namespace espalier::view {
namespace {

// A step of the seed CNN with two images.
trace::Record step() {
  models::SeedCnn model;
  trace::Tracer tracer({.level = trace::Level::shapes});
  for (const auto& [name, p] : model.named_parameters()) tracer.name(p, name);
  Tensor labels(Array::empty({2}, int64));
  labels.fill_(1);
  RecorderScope scope(&tracer);
  Tensor loss = nn::cross_entropy(model(zeros({2, 3, 32, 32})), labels);
  tracer.only_times();
  loss.backward();
  return tracer.take();
}

TEST(Cost, CountsArithmeticOfBothDirections) {
  auto rows = cost_rows(step());
  ASSERT_EQ(rows.size(), 5u);
  double conv = 2.0 * 2 * 32 * 32 * 32 * 27, fc = 2.0 * 2 * 10 * 32768;
  EXPECT_EQ(rows[0].stage, "conv");
  EXPECT_EQ(rows[0].forward.flops, conv);
  EXPECT_EQ(rows[0].backward.flops, conv);  // images need no gradient
  EXPECT_EQ(rows[3].forward.flops, fc);
  EXPECT_EQ(rows[3].backward.flops, 2 * fc);
  EXPECT_EQ(rows[3].parameters, 4.0 * (32768 * 10 + 10));
  EXPECT_EQ(rows[0].kept, 4.0 * 2 * 32 * 32 * 32);
}

TEST(Cost, TheBackwardIsNoPartOfTheDataFlow) {
  auto record = step();
  std::vector<std::string> stages;
  for (const FlowRow& row : flow(record)) stages.push_back(row.stage);
  EXPECT_THAT(stages, testing::ElementsAre("input", "conv", "relu", "flatten", "fc", "cross_entropy"));
  EXPECT_GT(total(cost_rows(record)).backward.seconds, 0);
}

TEST(Cost, TheLeastTimeIsTheLongerOfArithmeticAndMemory) {
  trace::Machine machine{.flops = 100, .bytes = 10};
  EXPECT_EQ((Work{.flops = 200, .bytes = 10}.least(machine)), 2);
  EXPECT_EQ((Work{.flops = 100, .bytes = 30}.least(machine)), 3);
  EXPECT_EQ((Work{.flops = 100, .bytes = 30}.least({})), 0);
}

TEST(Cost, AsTextHasTheSumLast) {
  std::string text = cost(step(), {.flops = 1e11, .bytes = 1e10});
  EXPECT_THAT(text, testing::HasSubstr("GFLOP/s"));
  EXPECT_GT(text.find("\n  sum"), text.find("cross_entropy"));
}

TEST(Reading, NamesTheDimensionsOfSequencesByTheirBatch) {
  trace::Record r;
  r.tensors = {{.shape = {12, 4, 8}}, {.shape = {4, 3}}};
  r.calls = {{.module = true, .kind = "Net", .inputs = {0}, .outputs = {1}}};
  Reading reading(r);
  EXPECT_THAT(reading.dimensions({12, 4, 8}, Role::input),
              testing::ElementsAre("steps", "batch", "features"));
  EXPECT_THAT(reading.dimensions({4, 3}, Role::output), testing::ElementsAre("batch", "classes"));
  EXPECT_EQ(reading.meaning({12, 4, 8}, Role::input), "12 steps of 4 sequences × 8 features");
  EXPECT_EQ(reading.meaning({}, Role::inner), "one number");
}

}  // namespace
}  // namespace espalier::view
