#include <golden/golden.h>

#include <espalier/core/random.h>
#include <espalier/ops/creation.h>

// Each case starts from manual_seed(0) and draws its tensors one after the other.
namespace espalier {
namespace {

const std::vector<int64_t> kSizes = {1, 2, 3, 15, 16, 17, 31, 32, 33, 40};

template <class Draw>
void check(const std::string& name, const std::vector<int64_t>& sizes, double tolerance, const Draw& draw) {
  test::Golden golden("random");
  manual_seed(0);
  for (int64_t n : sizes)
    test::expect_close(draw(n), golden(name, concat("output.", n)), tolerance, concat(name, " ", n));
}

TEST(GoldenRandom, UniformNumbersArePyTorchs) {
  check("rand_float32", kSizes, 0, [](int64_t n) { return rand({n}); });
  check("rand_float64", kSizes, 0, [](int64_t n) { return rand({n}, {.dtype = float64}); });
}

TEST(GoldenRandom, UniformNumbersOfARangeArePyTorchs) {
  test::Golden golden("random");
  manual_seed(0);
  EXPECT_EQ(empty({40}).uniform_(-0.3, 0.7).to_vector<float>(),
            golden("uniform_float32", "output").to_vector<float>());
  manual_seed(0);
  EXPECT_EQ(empty({40}, {.dtype = float64}).uniform_(-0.3, 0.7).to_vector<double>(),
            golden("uniform_float64", "output").to_vector<double>());
}

TEST(GoldenRandom, NormalNumbersArePyTorchs) {
  check("randn_float32", kSizes, 1e-6, [](int64_t n) { return randn({n}); });
  check("randn_float64", kSizes, 1e-14, [](int64_t n) { return randn({n}, {.dtype = float64}); });
}

TEST(GoldenRandom, IntegersArePyTorchs) {
  test::Golden golden("random");
  manual_seed(0);
  EXPECT_EQ(randint(-5, 12, {40}).to_vector<int64_t>(), golden("randint", "output").to_vector<int64_t>());
  manual_seed(0);
  EXPECT_EQ(randint(0, int64_t{1} << 40, {10}).to_vector<int64_t>(),
            golden("randint_wide", "output").to_vector<int64_t>());
  check("randperm", {10, 100}, 0, [](int64_t n) { return randperm(n); });
}

}  // namespace
}  // namespace espalier
