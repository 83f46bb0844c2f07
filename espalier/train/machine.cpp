#include <espalier/train/machine.h>

#include <algorithm>
#include <chrono>

#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/matmul.h>

namespace espalier::train {
namespace {

using Clock = std::chrono::steady_clock;

constexpr int64_t kSide = 768;                 // of the matrices: 2.4 MB each, 0.9 GFLOP the product
constexpr int64_t kCopied = int64_t{8} << 20;  // values: 32 MB, more than the caches hold
constexpr int kTries = 4;

template <class F>
double fastest(F&& work) {
  double best = 1e9;
  for (int i = 0; i < kTries; ++i) {
    auto start = Clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

Tensor ones(const Shape& shape) {
  Tensor x(Array::empty(shape, float32));
  x.fill_(1);
  return x;
}

}  // namespace

trace::Machine measure_machine() {
  NoGrad no_grad;
  Tensor a = ones({kSide, kSide}), b = ones({kSide, kSide}), from = ones({kCopied}), to = ones({kCopied});
  double product = fastest([&] { matmul(a, b); });
  double copy = fastest([&] { to.copy_(from); });
  return {.flops = 2.0 * kSide * kSide * kSide / product, .bytes = 2.0 * 4 * kCopied / copy};
}

}  // namespace espalier::train
