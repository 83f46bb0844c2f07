#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace espalier {

// Matsumoto and Nishimura's generator, the same as std::mt19937. The standard's header would cost each file
// that includes it a tenth of a second.
class Mt19937 {
 public:
  static constexpr size_t kWords = 624;

  explicit Mt19937(uint32_t seed);

  uint32_t operator()() {
    if (next_ == kWords) refill();
    uint32_t x = words_[next_++];
    x ^= x >> 11;
    x ^= x << 7 & 0x9d2c5680u;
    x ^= x << 15 & 0xefc60000u;
    return x ^ x >> 18;
  }

  // All that the next numbers depend on: the words, and which of them is next (at most kWords).
  const std::array<uint32_t, kWords>& words() const { return words_; }
  size_t next() const { return next_; }
  Mt19937(const std::array<uint32_t, kWords>& words, size_t next) : words_(words), next_(next) {}

 private:
  void refill();

  std::array<uint32_t, kWords> words_;
  size_t next_ = kWords;
};

}  // namespace espalier
