#pragma once

#include <cstdint>

// Kernels in kernels/simd are compiled once for each instruction set; when the library is loaded, the best
// version that the processor runs takes its place in the Kernel that everybody calls.
namespace espalier::kernels {

enum class Level : uint8_t { baseline, avx2, avx512 };

// What this processor runs, or less where the environment says ESPALIER_SIMD=baseline|avx2|avx512.
Level simd_level();

template <class Signature>
class Kernel;

template <class... A>
class Kernel<void(A...)> {
 public:
  using Function = void (*)(A...);
  constexpr Kernel() = default;
  void operator()(A... a) const { best_(a...); }
  void offer(Level level, Function f) {
    if (level > simd_level() || (best_ && level < level_)) return;
    best_ = f;
    level_ = level;
  }

 private:
  Function best_ = nullptr;
  Level level_ = Level::baseline;
};

template <class... A>
struct Offer {
  Offer(Kernel<void(A...)>& kernel, Level level, void (*f)(A...)) { kernel.offer(level, f); }
};

}  // namespace espalier::kernels

// In a file of kernels/simd, with ESPALIER_SIMD_LEVEL set by the build: everything stands in the namespace
// espalier::kernels::ESPALIER_SIMD_LEVEL, and ESPALIER_OFFER(softmax, softmax_rows) makes softmax_rows this
// level's version of the `inline constinit Kernel<…> softmax` that a header of kernels/ declares.
#define ESPALIER_OFFER(kernel, function) \
  static const Offer offer_##kernel{::espalier::kernels::kernel, Level::ESPALIER_SIMD_LEVEL, function};
