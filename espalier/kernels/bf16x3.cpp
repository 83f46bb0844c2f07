#include <espalier/kernels/bf16x3.h>

#include <atomic>

namespace espalier::kernels {
namespace {
std::atomic<bool> enabled{true};
}

void set_bf16x3(bool on) { enabled.store(on, std::memory_order_relaxed); }
bool bf16x3() { return gemm_bf16x3.offered() && enabled.load(std::memory_order_relaxed); }

}  // namespace espalier::kernels
