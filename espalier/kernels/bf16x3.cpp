#include <espalier/kernels/bf16x3.h>

#include <atomic>

#include <espalier/core/shape.h>

namespace espalier::kernels {
namespace {
std::atomic<bool> enabled{true};
}

void set_bf16x3(bool on) { enabled.store(on, std::memory_order_relaxed); }
int64_t split_size(const Gemm& product) {
  constexpr int64_t kItems = 16, kDepths = 32, kBytes = 6;
  auto blocks = [](int64_t n, int64_t side) { return (n + side - 1) / side; };
  return checked_mul(blocks(product.n, kItems) * kItems * kBytes, blocks(product.k, kDepths) * kDepths,
                     "split_size");
}

bool bf16x3() { return gemm_bf16x3.offered() && enabled.load(std::memory_order_relaxed); }

}  // namespace espalier::kernels
