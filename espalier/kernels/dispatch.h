#pragma once

#include <cstdint>

// Kernels in kernels/simd are compiled once for each instruction set, those in kernels/amx for one; when the
// library is loaded, the best version that the processor runs takes its place in the Kernel that everybody
// calls.
namespace espalier::kernels {

enum class Level : uint8_t { baseline, avx2, avx512, amx };

// What this processor runs, or less where the environment says ESPALIER_SIMD=baseline|avx2|avx512|amx.
Level simd_level();

// What kernels of all signatures share. Offers are made while the library is loaded, by code that was
// compiled for a processor that this one may not be: they do nothing but call this.
class AnyKernel {
 protected:
  using Any = void (*)();
  constexpr AnyKernel() = default;
  void offer_any(Level level, Any f);

  Any best_ = nullptr;

 private:
  Level level_ = Level::baseline;
};

template <class Signature>
class Kernel;

template <class... A>
class Kernel<void(A...)> : AnyKernel {
 public:
  using Function = void (*)(A...);
  constexpr Kernel() = default;
  // Whether there is a version for this processor; the kernels of kernels/simd have one for any.
  bool offered() const { return best_; }
  void operator()(A... a) const { reinterpret_cast<Function>(best_)(a...); }
  [[gnu::always_inline]] bool offer(Level level, Function f) {
    offer_any(level, reinterpret_cast<Any>(f));
    return true;
  }
};

}  // namespace espalier::kernels

// In a file of kernels/simd, with ESPALIER_SIMD_LEVEL set by the build: everything stands in the namespace
// espalier::kernels::ESPALIER_SIMD_LEVEL, and ESPALIER_OFFER(softmax, softmax_rows) makes softmax_rows this
// level's version of the `inline constinit Kernel<…> softmax` that a header of kernels/ declares.
#define ESPALIER_OFFER(kernel, function)                \
  [[maybe_unused]] static const bool offered_##kernel = \
      ::espalier::kernels::kernel.offer(Level::ESPALIER_SIMD_LEVEL, function);
