#include <espalier/train/fit.h>

#include <filesystem>

#include <gtest/gtest.h>

#include <espalier/core/random.h>
#include <espalier/io/file.h>
#include <espalier/io/safetensors.h>
#include <espalier/nn/nn.h>
#include <espalier/ops/creation.h>
#include <espalier/optim/sgd.h>
#include <espalier/trace/predictions.h>
#include <espalier/trace/record_file.h>
#include <espalier/trace/steps.h>
#include <espalier/train/run_data.h>

#include "temporary_folder.h"

namespace espalier::train {
namespace {

// Two classes of 4×4 images that differ in brightness: easy to tell apart.
data::ImageDataset bright_and_dark(int64_t n) {
  data::ImageDataset d{
      .images = Array::empty({n, 1, 4, 4}, uint8), .classes = {"dark", "bright"}, .name = "squares"};
  Generator random(1);
  for (int64_t i = 0; i < n; ++i) {
    d.labels.push_back(i % 2);
    for (int64_t p = 0; p < 16; ++p) {
      d.images.data<uint8_t>()[i * 16 + p] = static_cast<uint8_t>(random.u32() % 100 + (i % 2 ? 150 : 0));
    }
  }
  return d;
}

struct Net : nn::Module<Net> {
  nn::Linear fc{16, 2};
  Tensor forward(const Tensor& x) { return fc(x.flatten(1)); }
};

FitOptions options(Net& net) {
  return {.epochs = 3,
          .batch_size = 8,
          .optimizer = optim::SGD(net.parameters(), {.lr = 0.1}),
          .verbose = false,
          .progress = false};
}

TEST(Fit, LearnsAndKeepsTheHistory) {
  manual_seed(0);
  Net net;
  auto data = bright_and_dark(100), test = bright_and_dark(30);
  auto o = options(net);
  o.validation = &test;
  auto history = fit(net, data, o);
  ASSERT_EQ(history.size(), 3u);
  EXPECT_EQ(history[2].epoch, 3);
  EXPECT_EQ(history[2].step, 3 * 13);
  EXPECT_LT(history[2].train_loss, history[0].train_loss);
  EXPECT_GT(*history[2].val_accuracy, 0.9);
  EXPECT_EQ(history[2].lr, 0.1);
}

TEST(Fit, WithoutValidationThereAreNoValidationFigures) {
  Net net;
  auto history = fit(net, bright_and_dark(16), options(net));
  EXPECT_FALSE(history[0].val_loss);
}

TEST(Fit, TheSameSeedGivesTheSameRun) {
  auto run = [](int workers) {
    manual_seed(3);
    Net net;
    auto o = options(net);
    o.workers = workers;
    return fit(net, bright_and_dark(40), o).back().train_loss;
  };
  EXPECT_EQ(run(0), run(0));
  EXPECT_EQ(run(0), run(2));
}

TEST(Fit, ASmallLastBatchCountsByItsSize) {
  Net net;
  auto o = options(net);
  auto data = bright_and_dark(9);  // batches of 8 and 1
  o.batch_size = 8;
  Score all = evaluate(
      net.ref(), [&](const Tensor& x) { return net(x); }, data, o);
  o.batch_size = 9;
  Score once = evaluate(
      net.ref(), [&](const Tensor& x) { return net(x); }, data, o);
  EXPECT_NEAR(all.loss, once.loss, 1e-6);
  EXPECT_EQ(all.accuracy, once.accuracy);
}

TEST(Fit, LeavesARunThatCanBeReadAgain) {
  TemporaryFolder folder;
  manual_seed(0);
  Net net;
  auto o = options(net);
  o.run = folder / "run";
  auto history = fit(net, bright_and_dark(20), o);
  train::Run run = train::Run::open(o.run);
  EXPECT_EQ(run.settings().model, "Net");
  EXPECT_EQ(run.settings().data, "squares");
  EXPECT_EQ(run.settings().classes, (std::vector<std::string>{"dark", "bright"}));
  ASSERT_EQ(run.history().size(), history.size());
  EXPECT_EQ(run.history()[1].train_loss, history[1].train_loss);
  Net again;
  again.load(run.file("weights.safetensors"));
  EXPECT_EQ(again.fc.weight.to_vector<float>(), net.fc.weight.to_vector<float>());
}

struct Rectified : nn::Module<Rectified> {
  nn::Linear a{16, 8};
  nn::ReLU relu;
  nn::Linear b{8, 2};
  Tensor forward(const Tensor& x) { return b(relu(a(x.flatten(1)))); }
};

TEST(Fit, ARunKeepsItsMomentsPredictionsAndSamples) {
  TemporaryFolder folder;
  manual_seed(0);
  Rectified net;
  auto test = bright_and_dark(30);
  auto history = fit(net, bright_and_dark(40),
                     {.epochs = 3,
                      .batch_size = 8,
                      .validation = &test,
                      .optimizer = optim::SGD(net.parameters(), {.lr = 0.1}),
                      .run = folder / "run",
                      .verbose = false,
                      .progress = false});
  train::Run run = train::Run::open(folder / "run");
  auto steps = trace::read_steps(run.file("steps.jsonl"));
  ASSERT_EQ(steps.size(), 15u);
  EXPECT_EQ(steps[0].layers.size(), 2u);
  EXPECT_GT(steps[0].layers[0].update, 0);
  EXPECT_EQ(steps.back().units.at(0).units, 8);
  double loss = 0;
  for (size_t i = 0; i < 5; ++i) loss += steps[i].loss / 5;
  EXPECT_NEAR(loss, history[0].train_loss, 1e-6);

  auto predictions = trace::read_predictions(run.file("predictions.safetensors"));
  ASSERT_EQ(predictions.size(), 30);
  int64_t right = 0;
  for (int64_t i = 0; i < 30; ++i) right += !predictions.wrong(i);
  EXPECT_NEAR(static_cast<double>(right) / 30, *history.back().val_accuracy, 1e-9);

  auto pictures = trace::read_pictures(run.file("pictures.safetensors"));
  auto samples = trace::read_record(run.file("samples.json"));
  const trace::TensorInfo& scores = samples.tensors[samples.calls[0].outputs[0]];
  ASSERT_TRUE(scores.values);
  ASSERT_EQ(scores.shape[0], std::ssize(pictures.traced));
  auto p = Tensor(*scores.values).softmax(1).to_vector<float>();
  EXPECT_NEAR(p[test.labels[pictures.traced[0]]], predictions.right[pictures.traced[0]], 1e-5);
}

TEST(Fit, KeepingARunDoesNotChangeTheTraining) {
  TemporaryFolder folder;
  auto trained = [&](const std::string& run) {
    manual_seed(3);
    Net net;
    auto o = options(net);
    auto test = bright_and_dark(30);
    o.validation = &test;
    o.run = run;
    fit(net, bright_and_dark(40), o);
    auto out = net.fc.weight.to_vector<float>();
    out.push_back(rand({1}).item<float>());  // what is drawn afterwards is the same, too
    return out;
  };
  EXPECT_EQ(trained(""), trained(folder / "run"));
}

TEST(Fit, EpochsOfOneStepAreRecordedToo) {
  TemporaryFolder folder;
  Net net;
  auto o = options(net);
  o.run = folder / "run";
  fit(net, bright_and_dark(8), o);
  EXPECT_FALSE(train::Run::open(o.run).record()->calls.empty());
}

TEST(Fit, AFollowedRunReadsWhatIsNew) {
  TemporaryFolder folder;
  Net net;
  auto o = options(net);
  o.run = folder / "run";
  fit(net, bright_and_dark(20), o);
  RunFollower follower(Run::open(o.run));
  size_t steps = follower.figures().steps.size();
  std::string figures = follower.figures_stamp(), all = follower.all_stamp();
  std::string file = Run::open(o.run).file("steps.jsonl"), lines = io::read_lines(file);
  io::append_line(file, lines.substr(0, lines.find('\n')));
  EXPECT_NE(follower.figures_stamp(), figures);
  EXPECT_EQ(follower.all_stamp(), all);
  EXPECT_EQ(follower.figures().steps.size(), steps + 1);
  EXPECT_TRUE(follower.figures().parameters.empty());
  EXPECT_EQ(follower.all().parameters.size(), 2u);
  io::write_file(file, lines);  // another file under the name is read anew
  EXPECT_EQ(follower.all().steps.size(), steps);
}

TEST(Fit, NeverOverwritesARun) {
  TemporaryFolder folder;
  Net net;
  auto o = options(net);
  o.run = folder / ".";
  EXPECT_THROW(fit(net, bright_and_dark(20), o), FileError);
}

TEST(Fit, AFailureBeforeTheFirstEpochLeavesNoFolder) {
  TemporaryFolder folder;
  Net net;
  auto o = options(net);
  o.run = folder / "run";
  auto data = bright_and_dark(20);
  data.labels[7] = 5;
  EXPECT_THROW(fit(net, data, o), Error);
  EXPECT_FALSE(std::filesystem::exists(o.run));
}

TEST(Fit, OptionsThatCannotBeAreRefused) {
  Net net;
  auto data = bright_and_dark(4);
  EXPECT_THROW(fit(net, data, {.optimizer = {}}), ValueError);
  auto o = options(net);
  o.epochs = 0;
  EXPECT_THROW(fit(net, data, o), ValueError);
}

}  // namespace
}  // namespace espalier::train
