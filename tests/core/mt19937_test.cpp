#include <espalier/core/mt19937.h>

#include <gtest/gtest.h>

#include <random>

namespace espalier {
namespace {

TEST(Mt19937, GivesTheNumbersOfTheStandardLibrarys) {
  for (uint32_t seed : {0u, 1u, 5489u, 0xffffffffu}) {
    Mt19937 own(seed);
    std::mt19937 standard(seed);
    for (int i = 0; i < 2000; ++i) ASSERT_EQ(own(), standard()) << "seed " << seed << ", number " << i;
  }
}

TEST(Mt19937, GoesOnFromItsWords) {
  Mt19937 a(7);
  for (int i = 0; i < 1000; ++i) a();
  Mt19937 b(a.words(), a.next());
  for (int i = 0; i < 1000; ++i) ASSERT_EQ(a(), b());
}

}  // namespace
}  // namespace espalier
