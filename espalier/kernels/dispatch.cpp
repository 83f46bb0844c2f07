#include <espalier/kernels/dispatch.h>

#include <cstdlib>
#include <string_view>

#ifdef __x86_64__
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace espalier::kernels {
namespace {

#ifdef __x86_64__

// Tile registers with bfloat16 products; Linux lets a process use them when it asks.
bool has_amx() {
  constexpr unsigned kTile = 1u << 24, kTileBf16 = 1u << 22;  // in edx
  constexpr long kAskForPermission = 0x1023, kTileData = 18;
  unsigned a = 0, b = 0, c = 0, d = 0;
  bool there = __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & kTile) && (d & kTileBf16);
  return there && syscall(SYS_arch_prctl, kAskForPermission, kTileData) == 0;
}

Level processor_level() {
  __builtin_cpu_init();
  bool avx2 =
      __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("bmi2");
  bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
  if (avx2 && avx512) return has_amx() ? Level::amx : Level::avx512;
  return avx2 ? Level::avx2 : Level::baseline;
}

#else

Level processor_level() { return Level::baseline; }

#endif

Level allowed_level() {
  const char* text = std::getenv("ESPALIER_SIMD");
  std::string_view wish = text ? text : "";
  return wish == "baseline" ? Level::baseline
         : wish == "avx2"   ? Level::avx2
         : wish == "avx512" ? Level::avx512
                            : Level::amx;
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
