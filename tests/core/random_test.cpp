#include <espalier/core/random.h>

#include <numeric>
#include <set>

#include <gtest/gtest.h>

#include <espalier/core/error.h>

namespace espalier {
namespace {

// The expected numbers are those of PyTorch 2.13 after torch.manual_seed(0).
struct Random : testing::Test {
  Generator g{0};

  template <class T>
  static std::vector<double> values(const Array& a) {
    return {a.data<T>(), a.data<T>() + a.numel()};
  }
  static void expect_near(const std::vector<double>& got, const std::vector<double>& want, double tolerance) {
    ASSERT_EQ(got.size(), want.size());
    for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(got[i], want[i], tolerance) << "element " << i;
  }
};

TEST_F(Random, UniformsAreExactlyPyTorchs) {
  Array x = Array::empty({3}, float32);
  g.uniform(x, 0, 1);
  expect_near(values<float>(x), {0.49625658988952637, 0.7682217955589294, 0.08847743272781372}, 0);
  g.manual_seed(0);
  x = Array::empty({4}, float32);
  g.uniform(x, -0.5, 2);
  expect_near(values<float>(x),
              {0.7406414747238159, 1.420554518699646, -0.2788064181804657, -0.1699237823486328}, 0);
  g.manual_seed(0);
  x = Array::empty({3}, float64);
  g.uniform(x, 0, 1);
  expect_near(values<double>(x), {0.9700530018065531, 0.707819864399788, 0.45938294312745087}, 0);
}

TEST_F(Random, FewNormalsComeInPairs) {
  Array x = Array::empty({5}, float32);
  g.normal(x, 0, 1);
  expect_near(
      values<float>(x),
      {1.5409960746765137, -0.293428897857666, -2.1787893772125244, 0.5684312582015991, -1.0845223665237427},
      2e-7);
}

TEST_F(Random, TheSecondNormalOfAPairIsKeptForTheNextCall) {
  Array a = Array::empty({3}, float32), b = Array::empty({1}, float32), c = Array::empty({2}, float32);
  g.normal(a, 0, 1);
  g.uniform(b, 0, 1);
  g.normal(c, 0, 1);
  expect_near(values<float>(b), {0.455627977848053}, 0);
  expect_near(values<float>(c), {0.5684312582015991, 0.6472479701042175}, 2e-7);
}

TEST_F(Random, ManyNormalsComeInBlocksOfSixteen) {
  Array x = Array::empty({4, 5}, float32);
  g.normal(x, 0, 1);
  expect_near(values<float>(x),
              {-1.1258398294448853, -1.152360200881958,  -0.2505785822868347, -0.4338788092136383,
               0.5988394618034363,  -1.5550950765609741, -0.3413603901863098, 1.85300612449646,
               0.46809640526771545, -0.1577124446630478, 1.4436601400375366,  0.26604941487312317,
               1.3893661499023438,  1.586334228515625,   0.946298360824585,   -0.843676745891571,
               0.9318265914916992,  1.2590092420578003,  2.0049805641174316,  0.05373690277338028},
              1e-6);
}

TEST_F(Random, NormalsInDoublePrecisionFollowToo) {
  Array x = Array::empty({20}, float64);
  g.normal(x, 0, 1);
  auto v = values<double>(x);
  expect_near({v[0], v[1], v[4], v[19]},
              {-2.310411800234176, -0.3732508612577643, -0.019964750907762653, -0.7498915228391941}, 1e-14);
}

TEST_F(Random, IntegersArePyTorchs) {
  Array x = Array::empty({8}, int64);
  g.randint(x, 0, 10);
  expect_near(values<int64_t>(x), {4, 9, 3, 0, 3, 9, 7, 3}, 0);
  x = Array::empty({4}, int64);
  g.randint(x, -5, 5);
  expect_near(values<int64_t>(x), {2, -2, -4, 1}, 0);
  g.manual_seed(0);
  x = Array::empty({3}, int64);
  g.randint(x, 0, int64_t{1} << 40);
  expect_near(values<int64_t>(x), {741280623151, 506137267392, 291447657211}, 0);
  g.manual_seed(0);
  EXPECT_EQ(g.random_int64(), 900450186894289455);
  EXPECT_EQ(g.random_int64(), 3969543146641149120);
}

TEST_F(Random, PermutationsArePyTorchs) {
  EXPECT_EQ(g.randperm(10), (std::vector<int64_t>{4, 1, 7, 5, 3, 9, 0, 8, 6, 2}));
  EXPECT_TRUE(g.randperm(0).empty());
  EXPECT_EQ(g.randperm(1), std::vector<int64_t>{0});
}

TEST_F(Random, SeedsCountByTheirLow32Bits) {
  EXPECT_EQ(Generator(5).u32(), Generator((uint64_t{1} << 33) + 5).u32());
  EXPECT_NE(Generator(5).u32(), Generator(6).u32());
}

TEST_F(Random, BernoulliKeepsItsShare) {
  Array x = Array::empty({20000}, float32);
  g.bernoulli(x, 0.3);
  auto v = values<float>(x);
  EXPECT_NEAR(std::accumulate(v.begin(), v.end(), 0.0) / v.size(), 0.3, 0.02);
  EXPECT_EQ(std::set<double>(v.begin(), v.end()), (std::set<double>{0, 1}));
  g.bernoulli(x, 0);
  EXPECT_EQ(values<float>(x), std::vector<double>(20000, 0.0));
  g.bernoulli(x, 1);
  EXPECT_EQ(values<float>(x), std::vector<double>(20000, 1.0));
}

TEST_F(Random, AStridedArrayIsFilledInTheOrderOfItsIndices) {
  Array block = Array::empty({3, 2}, float32);
  Array turned = block.view({2, 3}, {1, 2}, 0);
  g.uniform(turned, 0, 1);
  Array plain = Array::empty({2, 3}, float32);
  g.manual_seed(0);
  g.uniform(plain, 0, 1);
  for (int i : {0, 1}) {
    for (int j : {0, 1, 2}) EXPECT_EQ(block.data<float>()[j * 2 + i], plain.data<float>()[i * 3 + j]);
  }
}

TEST_F(Random, AStateContinuesWhereItWasTaken) {
  g.normal_double();  // leaves the second of a pair
  std::string state = g.state();
  std::vector<double> want{g.normal_double(), g.uniform_double(), g.normal_double()};
  Generator other;
  other.set_state(state);
  EXPECT_EQ((std::vector<double>{other.normal_double(), other.uniform_double(), other.normal_double()}),
            want);
  EXPECT_EQ(other.initial_seed(), 0u);
}

TEST_F(Random, ADamagedStateIsRefusedAndChangesNothing) {
  uint32_t next = Generator(0).u32();
  EXPECT_THROW(g.set_state("mt19937 0 0"), ValueError);
  EXPECT_THROW(g.set_state(""), ValueError);
  EXPECT_THROW(g.set_state(Generator(1).state().substr(0, 900)), ValueError);
  EXPECT_EQ(g.u32(), next);
}

TEST_F(Random, RefusesArgumentsOutsideTheirRange) {
  Array x = Array::empty({2}, float32), i = Array::empty({2}, int64);
  EXPECT_THROW(g.normal(x, 0, -1), ValueError);
  EXPECT_THROW(g.uniform(i, 0, 1), DTypeError);
  EXPECT_THROW(g.normal(i, 0, 1), DTypeError);
  EXPECT_THROW(g.randint(i, 3, 3), ValueError);
  EXPECT_THROW(g.bernoulli(x, 1.5), ValueError);
  EXPECT_THROW(g.randperm(-1), ValueError);
}

TEST_F(Random, ManualSeedSetsTheGeneratorThatEverybodyDrawsFrom) {
  manual_seed(0);
  EXPECT_EQ(default_generator().u32(), Generator(0).u32());
}

}  // namespace
}  // namespace espalier
