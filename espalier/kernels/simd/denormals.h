#pragma once

#include <cstdint>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// While one lives, numbers below the smallest normal one (2^-126 in float32) are 0 in this thread, where the
// processor can do that. It takes a hundred times as long for them, and what fades step by step stays among
// them: 0.9 of the smallest is rounded to the smallest.
class NoDenormals {
 public:
  NoDenormals() { set(before_ | kFlush); }
  ~NoDenormals() { set(before_); }
  NoDenormals(const NoDenormals&) = delete;
  NoDenormals& operator=(const NoDenormals&) = delete;

 private:
#if defined(__SSE2__)
  using Control = uint32_t;
  static constexpr Control kFlush = 0x8040;  // of results, of operands
  static Control get() { return __builtin_ia32_stmxcsr(); }
  static void write(Control c) { __builtin_ia32_ldmxcsr(c); }
#elif defined(__aarch64__)
  using Control = uint64_t;
  static constexpr Control kFlush = 1 << 24;
  static Control get() {
    Control c;
    asm volatile("mrs %0, fpcr" : "=r"(c));
    return c;
  }
  static void write(Control c) { asm volatile("msr fpcr, %0" ::"r"(c)); }
#else
  using Control = uint32_t;
  static constexpr Control kFlush = 0;
  static Control get() { return 0; }
  static void write(Control) {}
#endif
  // What is computed before and after stays there.
  static void set(Control c) {
    asm volatile("" ::: "memory");
    write(c);
    asm volatile("" ::: "memory");
  }

  Control before_ = get();
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
