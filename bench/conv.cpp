// The time of each pass of 3×3 convolutions by Winograd's algorithm and by the direct one, in turn.
// Usage: conv ROUNDS THREADS [BATCH]
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <vector>

#include <espalier/espalier.h>

using espalier::Tensor;

double ms(const std::function<Tensor()>& pass) {
  auto begin = std::chrono::steady_clock::now();
  pass();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

double median(std::vector<double> values) {
  auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

double error(const Tensor& a, const Tensor& b) {
  Tensor x = a.to(espalier::float64), y = b.to(espalier::float64);
  return std::sqrt(((x - y) * (x - y)).sum().item<double>() / (y * y).sum().item<double>());
}

// Prints the medians of `rounds` calls of each algorithm.
void measure(const char* name, int rounds, double flops, const std::function<Tensor()>& pass) {
  std::vector<double> times[2];
  Tensor results[2];
  for (int i = 0; i < 2 * rounds + 4; ++i) {
    espalier::set_winograd(i % 2);
    if (i < 4) results[i % 2] = pass();
    else times[i % 2].push_back(ms(pass));
  }
  double off = median(times[0]), on = median(times[1]);
  std::printf("  %-8s direct %8.3f ms (%4.0f GFLOP/s)  winograd %8.3f ms (%4.0f)  %.2f times  error %.1e",
              name, off, flops / off / 1e6, on, flops / on / 1e6, off / on, error(results[1], results[0]));
  std::printf("  (least: %.3f, %.3f)\n", *std::ranges::min_element(times[0]),
              *std::ranges::min_element(times[1]));
}

int main(int argc, char** argv) {
  if (argc != 3 && argc != 4) return std::fputs("usage: conv ROUNDS THREADS [BATCH]\n", stderr), 2;
  int rounds = std::atoi(argv[1]);
  espalier::set_num_threads(std::atoi(argv[2]));
  int64_t batch = argc == 4 ? std::atoi(argv[3]) : 64;
  espalier::manual_seed(0);
  espalier::NoGrad no_grad;
  for (auto [side, channels] :
       {std::pair<int64_t, int64_t>{32, 32}, {32, 64}, {16, 128}, {8, 256}, {4, 512}}) {
    espalier::Shape shape{batch, channels, side, side}, weights{channels, channels, 3, 3};
    Tensor w = espalier::randn(weights) * 0.05, b = espalier::randn({channels});
    Tensor x = espalier::conv2d(espalier::randn(shape), w, b, {.padding = 1});
    Tensor g = espalier::conv2d(x, w, b, {.padding = 1});
    double flops = 18.0 * static_cast<double>(x.numel() * channels);
    std::printf("%ld channels, %ld×%ld\n", static_cast<long>(channels), static_cast<long>(side),
                static_cast<long>(side));
    measure("forward", rounds, flops, [&] { return espalier::conv2d(x, w, b, {.padding = 1}); });
    measure("input", rounds, flops, [&] { return espalier::conv2d_input(shape, w, g, {.padding = 1}); });
    measure("weight", rounds, flops, [&] { return espalier::conv2d_weight(x, weights, g, {.padding = 1}); });
  }
}
