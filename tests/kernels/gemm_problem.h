#pragma once

#include <array>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include <espalier/core/threads.h>
#include <espalier/kernels/gemm.h>

namespace espalier {

// A product with everything that Gemm can be told.
template <class T>
struct Problem {
  int64_t m, n, k;
  bool turned_a, turned_b;
  bool accumulate = false, with_bias = false, relu = false;
  kernels::Kernel<void(const kernels::Gemm&)> kernel;
  std::vector<T> a, b, c, bias;

  Problem(int64_t m, int64_t n, int64_t k, bool turned_a, bool turned_b, auto& kernel)
      : m(m),
        n(n),
        k(k),
        turned_a(turned_a),
        turned_b(turned_b),
        kernel(kernel),
        a(m * k),
        b(k * n),
        c(m * n),
        bias(n) {
    std::mt19937 random(static_cast<unsigned>(m * 31 + n * 7 + k));
    for (auto* values : {&a, &b, &c, &bias}) {
      for (T& v : *values) v = static_cast<T>(static_cast<int>(random() % 2001) - 1000) / 1000;
    }
  }

  std::vector<T> run(int threads) const {
    std::vector<T> out = c;
    set_num_threads(threads);
    kernels::Gemm g{m, n, k};
    g.a = a.data(), g.a_row = turned_a ? 1 : k, g.a_col = turned_a ? m : 1;
    g.b = b.data(), g.b_row = turned_b ? 1 : n, g.b_col = turned_b ? k : 1;
    g.c = out.data(), g.c_row = n;
    g.accumulate = accumulate, g.bias = with_bias ? bias.data() : nullptr, g.relu = relu;
    kernel(g);
    return out;
  }

  double expected(int64_t i, int64_t j) const {
    double sum = (accumulate ? c[i * n + j] : 0) + (with_bias ? bias[j] : 0);
    for (int64_t p = 0; p < k; ++p) {
      sum += static_cast<double>(a[turned_a ? p * m + i : i * k + p]) * b[turned_b ? j * k + p : p * n + j];
    }
    return relu && sum < 0 ? 0 : sum;
  }

  void check(double tolerance) const {
    auto y = run(1);
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        ASSERT_NEAR(y[i * n + j], expected(i, j), tolerance * static_cast<double>(k + 4))
            << m << 'x' << n << 'x' << k << (turned_a ? " a turned" : "") << (turned_b ? " b turned" : "")
            << " at " << i << ", " << j;
      }
    }
    for (int threads : {2, 3}) ASSERT_EQ(run(threads), y) << "threads change the result";
  }
};

// All orders of the operands, with and without what may be added to a product.
template <class T>
void check_all(int64_t m, int64_t n, int64_t k, double tolerance, auto& kernel) {
  for (int way = 0; way < 4; ++way) {
    Problem<T> p(m, n, k, way & 1, way & 2, kernel);
    p.check(tolerance);
    p.accumulate = p.with_bias = true;
    p.relu = way & 1;
    p.check(tolerance);
  }
}

struct KeepsThreads : testing::Test {
  void TearDown() override { set_num_threads(before); }
  int before = get_num_threads();
};

}  // namespace espalier
