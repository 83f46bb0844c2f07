#include <espalier/core/mt19937.h>

namespace espalier {

Mt19937::Mt19937(uint32_t seed) {
  words_[0] = seed;
  for (uint32_t i = 1; i < kWords; ++i) words_[i] = 1812433253u * (words_[i - 1] ^ words_[i - 1] >> 30) + i;
}

void Mt19937::refill() {
  constexpr size_t kMiddle = 397;
  constexpr uint32_t kLower = 0x7fffffffu, kTwist = 0x9908b0dfu;
  for (size_t i = 0; i < kWords; ++i) {
    uint32_t x = (words_[i] & ~kLower) | (words_[(i + 1) % kWords] & kLower);
    words_[i] = words_[(i + kMiddle) % kWords] ^ x >> 1 ^ (x & 1 ? kTwist : 0);
  }
  next_ = 0;
}

}  // namespace espalier
