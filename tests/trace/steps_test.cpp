#include <espalier/trace/steps.h>

#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <espalier/core/error.h>
#include <espalier/io/file.h>

#include <temporary_folder.h>

namespace espalier::trace {
namespace {

Step step(int64_t number, double conv, double fc) {
  return {.step = number,
          .epoch = 1,
          .loss = 0.5,
          .accuracy = 0.75,
          .lr = 1e-3,
          .seconds = 0.25,
          .layers = {{"conv", 100, conv, 2, 0.01}, {"fc", 100, fc, 3, 0.02}},
          .units = {{"relu", 32, 3}}};
}

TEST(Steps, ComeBackFromTheirLines) {
  Step s = step(7, 0.5, 1);
  Step back = step_from_json(to_json(s), "test");
  EXPECT_EQ(to_json(back), to_json(s));
  EXPECT_EQ(back.layers[1].name, "fc");
  EXPECT_EQ(back.units[0].dead, 3);
  s.layers.clear(), s.units.clear();
  EXPECT_EQ(to_json(s), R"({"step":7,"epoch":1,"loss":0.5,"accuracy":0.75,"lr":0.001,"seconds":0.25})");
  s.loss = NAN;
  EXPECT_TRUE(std::isnan(step_from_json(to_json(s), "test").loss));
}

TEST(Steps, AFileMayStillBeWritten) {
  TemporaryFolder folder;
  std::string path = folder / "steps.jsonl";
  io::write_file(path, to_json(step(1, 1, 1)) + "\n" + to_json(step(2, 1, 1)) + "\n{\"step\":3,");
  EXPECT_EQ(read_steps(path).size(), 2u);
}

TEST(Steps, ADamagedLineIsNamed) {
  TemporaryFolder folder;
  std::string path = folder / "steps.jsonl";
  io::write_file(path, to_json(step(1, 1, 1)) + "\n{\"step\":3}\n");
  try {
    read_steps(path);
    ADD_FAILURE();
  } catch (const FileError& e) {
    EXPECT_THAT(e.message(), testing::HasSubstr("steps.jsonl, line 2: not a moment of a training"));
  }
}

std::vector<GradientState::Kind> kinds(const std::vector<std::pair<double, double>>& gradients) {
  Steps steps;
  for (auto [conv, fc] : gradients) steps.push_back(step(static_cast<int64_t>(steps.size()) + 1, conv, fc));
  std::vector<GradientState::Kind> out;
  for (const GradientState& s : gradient_states(steps)) out.push_back(s.kind);
  return out;
}

TEST(Gradients, VanishingAndExplodingLayersAreNamed) {
  using enum GradientState::Kind;
  using Kinds = std::vector<GradientState::Kind>;
  EXPECT_EQ(kinds({{1, 1}, {1, 1}, {1, 1}, {1, 2}}), (Kinds{sound, sound}));
  EXPECT_EQ(kinds({{1, 1}, {1, 1}, {1, 1}, {0.0005, 1}}), (Kinds{vanishing, sound}));
  EXPECT_EQ(kinds({{1, 1}, {1, 1}, {1, 1}, {1, 200}}), (Kinds{sound, exploding}));
  EXPECT_EQ(kinds({{1, 1}, {NAN, 1}, {1, 1}, {1, 1}}), (Kinds{not_finite, sound}));
  EXPECT_TRUE(gradient_states({}).empty());
}

}  // namespace
}  // namespace espalier::trace
