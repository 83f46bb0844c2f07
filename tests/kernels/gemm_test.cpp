#include "gemm_problem.h"

namespace espalier {
namespace {

struct Gemm : KeepsThreads {};

TEST_F(Gemm, MultipliesMatricesOfAllSizesAndOrders) {
  // Blocks, their rests, several panels in depth, one row (a batch of one), one column, nothing to sum.
  for (auto [m, n, k] : {std::array{1, 1, 1},
                         {1, 7, 3},
                         {1, 130, 300},
                         {2, 16, 64},
                         {5, 1, 40},
                         {16, 16, 2},
                         {16, 1, 16},
                         {17, 33, 65},
                         {25, 64, 193},
                         {128, 10, 512},
                         {10, 96, 300},
                         {3, 5, 0}}) {
    check_all<float>(m, n, k, 1e-6, kernels::gemm_float);
    check_all<double>(m, n, k, 1e-14, kernels::gemm_double);
  }
}

TEST_F(Gemm, MultipliesFewRowsWithALargeMatrix) {
  check_all<float>(10, 5000, 63, 1e-6, kernels::gemm_float);
  check_all<double>(3, 4096, 64, 1e-14, kernels::gemm_double);
}

TEST_F(Gemm, MultipliesMatricesOfSeveralTiles) {
  check_all<float>(250, 100, 70, 1e-6, kernels::gemm_float);
  check_all<float>(30, 800, 50, 1e-6, kernels::gemm_float);
}

}  // namespace
}  // namespace espalier
