#include <espalier/kernels/dispatch.h>

#include <cstdlib>
#include <string_view>

namespace espalier::kernels {
namespace {

Level processor_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
  return avx2 && avx512 ? Level::avx512 : avx2 ? Level::avx2 : Level::baseline;
#else
  return Level::baseline;
#endif
}

Level allowed_level() {
  const char* text = std::getenv("ESPALIER_SIMD");
  std::string_view wish = text ? text : "";
  return wish == "baseline" ? Level::baseline : wish == "avx2" ? Level::avx2 : Level::avx512;
}

}  // namespace

Level simd_level() {
  static const Level level = processor_level() < allowed_level() ? processor_level() : allowed_level();
  return level;
}

void AnyKernel::offer_any(Level level, Any f) {
  if (level > simd_level() || (best_ && level < level_)) return;
  best_ = f;
  level_ = level;
}

}  // namespace espalier::kernels
