// What keeping a run costs a training step: bench/recording [STEPS [ROUNDS]]. Trains the seed CNN on batches
// of 64 with and without what `fit` records of a run, in turn, and prints the medians of the rounds.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include <espalier/espalier.h>
#include <espalier/models/seed_cnn.h>
#include <espalier/train/step_log.h>

namespace espalier {
namespace {

using Clock = std::chrono::steady_clock;

// Milliseconds a step. What a round without recording does is what `fit` does for a run that is not kept.
double round(int64_t steps, bool records, const std::string& path) {
  manual_seed(0);
  models::SeedCnn model{.classes = 10};
  optim::Adam optimizer(model.parameters(), {.lr = 1e-3});
  Tensor x = randn({64, 3, 32, 32}), y = zeros({64}).to(int64);
  for (int64_t i = 0; i < 64; ++i) y.data<int64_t>()[i] = i % 10;
  std::filesystem::remove(path);
  train::StepLog log(path, model.ref(), 938, 5);
  auto start = Clock::now();
  for (int64_t i = 0; i < steps; ++i) {
    optimizer.zero_grad();
    Recorder* recorder = records ? log.begin() : nullptr;
    Tensor loss;
    {
      RecorderScope scope(recorder);
      loss = nn::cross_entropy(model(x), y);
      loss.backward();
    }
    if (records) log.gradients();
    optimizer.step();
    if (records) log.end(1, 1e-3, loss.item<double>() * 64, 32, 64);
    else (void)loss.item<double>();
  }
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count() / static_cast<double>(steps);
}

double median(std::vector<double> v) {
  std::ranges::sort(v);
  return v[v.size() / 2];
}

void run(int64_t steps, int rounds) {
  std::string path = (std::filesystem::temp_directory_path() / "espalier-bench-steps.jsonl").string();
  std::vector<double> with, without, ratio;
  round(steps / 2, true, path);
  for (int r = 0; r < rounds; ++r) {
    without.push_back(round(steps, false, path));
    with.push_back(round(steps, true, path));
    ratio.push_back(with.back() / without.back());
  }
  std::filesystem::remove(path);
  std::printf("without %.3f ms a step, with %.3f ms; median of the rounds' ratios %.4f\n", median(without),
              median(with), median(ratio));
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  espalier::run(argc > 1 ? std::atoll(argv[1]) : 500, argc > 2 ? std::atoi(argv[2]) : 9);
}
