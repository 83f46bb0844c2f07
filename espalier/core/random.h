#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/core/array.h>
#include <espalier/core/mt19937.h>

namespace espalier {

// PyTorch's CPU generator: mt19937 and the recipes that turn its numbers into values, so that the same seed
// gives PyTorch's numbers (integers and uniforms exactly, normals to a rounding). Not for use by two threads
// at once.
class Generator {
 public:
  static constexpr uint64_t kDefaultSeed = 67280421310721;  // PyTorch's

  explicit Generator(uint64_t seed = kDefaultSeed) { manual_seed(seed); }

  void manual_seed(uint64_t seed);
  uint64_t initial_seed() const { return seed_; }

  uint32_t u32() { return engine_(); }
  uint64_t u64() {
    uint64_t high = u32();
    return high << 32 | u32();
  }
  float uniform_float() { return static_cast<float>(u32() & 0xffffffu) * 0x1p-24f; }
  double uniform_double() { return static_cast<double>(u64() & ((uint64_t{1} << 53) - 1)) * 0x1p-53; }
  double normal_double();
  // What random_() draws for int64: [0, 2^63).
  int64_t random_int64() { return static_cast<int64_t>(u64() % (uint64_t{1} << 63)); }

  // Fill `out` (floating point) in the order of its indices: uniform in [from, to), normal.
  void uniform(Array& out, double from, double to);
  void normal(Array& out, double mean, double std);
  // Integers in [low, high), any dtype that holds them.
  void randint(Array& out, int64_t low, int64_t high);
  // 1 with probability p, else 0.
  void bernoulli(Array& out, double p);
  std::vector<int64_t> randperm(int64_t n);

  // Everything the next numbers depend on, as text, and back. Throws ValueError for text that is not such a
  // state.
  std::string state() const;
  void set_state(const std::string& text);

 private:
  Mt19937 engine_{0};
  uint64_t seed_ = 0;
  double next_normal_ = 0;  // the second value of a pair, kept for the next call
  bool has_next_normal_ = false;
};

// The generator that random functions, initialisation and dropout draw from.
Generator& default_generator();
void manual_seed(uint64_t seed);

}  // namespace espalier
