#include <espalier/train/fit.h>

#include <filesystem>

#include <gtest/gtest.h>

#include <espalier/core/random.h>
#include <espalier/io/safetensors.h>
#include <espalier/nn/nn.h>
#include <espalier/optim/sgd.h>

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
