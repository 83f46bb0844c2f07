#include "gemm_problem.h"

#include <cmath>
#include <limits>

#include <espalier/kernels/bf16x3.h>

namespace espalier {
namespace {

struct Bf16x3 : KeepsThreads {
  void SetUp() override {
    if (!kernels::gemm_bf16x3.offered()) GTEST_SKIP() << "this processor has no bfloat16 tiles";
  }
};

constexpr float kInfinity = std::numeric_limits<float>::infinity();

// The root of the summed squares of errors, of the expected values' own.
double relative_error(const Problem<float>& p) {
  auto y = p.run(2);
  double error = 0, norm = 0;
  for (int64_t i = 0; i < p.m; ++i) {
    for (int64_t j = 0; j < p.n; ++j) {
      double expected = p.expected(i, j);
      error += (y[i * p.n + j] - expected) * (y[i * p.n + j] - expected);
      norm += expected * expected;
    }
  }
  return std::sqrt(error / norm);
}

TEST_F(Bf16x3, MultipliesMatricesOfAllSizesAndOrders) {
  // Parts of a block, one block, several, several panels in depth, chunks of the inner matrix.
  for (auto [m, n, k] : {std::array{1, 1, 1},
                         {1, 130, 300},
                         {16, 16, 32},
                         {17, 33, 65},
                         {32, 32, 31},
                         {33, 15, 256},
                         {70, 49, 257},
                         {100, 40, 530},
                         {20, 90, 2100},
                         {3, 5, 0}}) {
    check_all<float>(m, n, k, 2e-7, kernels::gemm_bf16x3);
  }
}

TEST_F(Bf16x3, IsAsExactAsFloat32) {
  for (int way = 0; way < 4; ++way) {
    for (auto [m, n, k] : {std::array{64, 48, 40}, {40, 64, 700}, {33, 35, 5000}}) {
      Problem<float> own(m, n, k, way & 1, way & 2, kernels::gemm_bf16x3);
      Problem<float> plain(m, n, k, way & 1, way & 2, kernels::gemm_float);
      EXPECT_LE(relative_error(own), relative_error(plain) * 1.1) << m << ' ' << n << ' ' << k;
    }
  }
}

TEST_F(Bf16x3, KeepsAllBitsOfANumber) {
  Problem<float> p(40, 40, 40, false, false, kernels::gemm_bf16x3);
  for (int64_t i = 0; i < 40; ++i) {
    for (int64_t j = 0; j < 40; ++j) p.b[i * 40 + j] = i == j;
  }
  for (float scale : {1.0f, 1e-25f, 1e20f, 3e38f}) {
    auto q = p;
    for (float& v : q.a) v *= scale;
    EXPECT_EQ(q.run(1), q.a) << scale;
  }
}

TEST_F(Bf16x3, GivesInfinityAndNanWhereTheyBelong) {
  Problem<float> p(50, 40, 60, false, true, kernels::gemm_bf16x3);
  p.a[3 * 60 + 5] = kInfinity;
  p.b[7 * 60 + 1] = NAN;
  p.b[9 * 60 + 2] = -3e38f;
  auto own = p.run(2);
  p.kernel = kernels::gemm_float;
  auto plain = p.run(2);
  for (size_t i = 0; i < own.size(); ++i) {
    if (std::isfinite(plain[i])) EXPECT_NEAR(own[i], plain[i], 1e-5 + 1e-6 * std::abs(plain[i])) << i;
    else EXPECT_EQ(std::isnan(own[i]) ? 0 : own[i], std::isnan(plain[i]) ? 0 : plain[i]) << i;
  }
  EXPECT_TRUE(std::isnan(own[7]));
}

TEST_F(Bf16x3, CanBeTurnedOff) {
  bool before = kernels::bf16x3();
  kernels::set_bf16x3(false);
  EXPECT_FALSE(kernels::bf16x3());
  kernels::set_bf16x3(true);
  EXPECT_TRUE(kernels::bf16x3());
  kernels::set_bf16x3(before);
}

}  // namespace
}  // namespace espalier
