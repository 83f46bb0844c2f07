#include <espalier/io/crc32.h>

#include <cstring>

#include <zlib.h>

#ifdef __x86_64__
#include <immintrin.h>
#endif

namespace espalier::io {
namespace {

uint32_t continued(uint32_t crc, std::span<const std::byte> bytes) {
  return static_cast<uint32_t>(::crc32_z(crc, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
}

#ifdef __x86_64__

// x^n modulo the CRC's polynomial, bits in reverse order, shifted as a product of reversed numbers needs it.
constexpr uint64_t power(int n) {
  uint32_t r = 0x80000000;
  for (int i = 0; i < n; ++i) r = r >> 1 ^ (r & 1 ? 0xedb88320 : 0);
  return uint64_t{r} << 1;
}

constexpr size_t kBlock = 64;

__attribute__((target("pclmul"))) __m128i load(const std::byte* p) {
  return _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
}

// Moves 16 bytes by `bits` towards the end of the message: 16 bytes of the same remainder stand there.
template <int bits>
__attribute__((target("pclmul"))) __m128i moved(__m128i x) {
  constexpr auto low = static_cast<int64_t>(power(bits + 32)), high = static_cast<int64_t>(power(bits - 32));
  const __m128i k = _mm_set_epi64x(high, low);
  return _mm_xor_si128(_mm_clmulepi64_si128(x, k, 0x00), _mm_clmulepi64_si128(x, k, 0x11));
}

// The CRC of whole blocks: each is folded into the next, and zlib computes what is left, 16 bytes.
__attribute__((target("pclmul"))) uint32_t folded(std::span<const std::byte> blocks) {
  const std::byte* p = blocks.data();
  const std::byte* end = p + blocks.size();
  __m128i x[4] = {load(p), load(p + 16), load(p + 32), load(p + 48)};
  x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128(-1));  // a CRC begins with ones
  for (p += kBlock; p < end; p += kBlock) {
    for (int i = 0; i < 4; ++i) x[i] = _mm_xor_si128(moved<512>(x[i]), load(p + 16 * i));
  }
  for (int i = 1; i < 4; ++i) x[i] = _mm_xor_si128(moved<128>(x[i - 1]), x[i]);
  std::byte rest[16];
  std::memcpy(rest, &x[3], sizeof rest);
  return continued(0xffffffff, rest);  // zlib begins with the inverse of what it is given
}

bool can_fold() {
  static const bool can = __builtin_cpu_supports("pclmul");
  return can;
}

#endif

}  // namespace

uint32_t crc32(std::span<const std::byte> bytes) {
  uint32_t crc = 0;
#ifdef __x86_64__
  size_t whole = bytes.size() / kBlock * kBlock;
  if (whole > 0 && can_fold()) {
    crc = folded(bytes.first(whole));
    bytes = bytes.subspan(whole);
  }
#endif
  return continued(crc, bytes);
}

}  // namespace espalier::io
