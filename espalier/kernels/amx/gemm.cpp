#include <espalier/kernels/amx/product.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr double kTurnsOfResult = 96;  // depths of a source that take as long to turn as the result's columns

// The matrix whose items lie side by side is better the right one, that whose depths do the left one.
bool a_is_better_left(const Gemm& g) {
  auto size = [](bool turned, int64_t items) { return turned ? static_cast<double>(items) : 0.0; };
  double a_left = size(g.a_col != 1, g.m) + size(g.b_col != 1, g.n);
  double b_left = size(g.b_row != 1, g.n) + size(g.a_row != 1, g.m);
  double result = kTurnsOfResult * static_cast<double>(g.m) * static_cast<double>(g.n);
  auto depth = static_cast<double>(g.k);
  return a_left * depth <= b_left * depth + result;
}

Factors factors_of(const Gemm& g) {
  return {.a = {static_cast<const float*>(g.a), g.a_row, g.a_col, g.m, g.k},
          .b = {static_cast<const float*>(g.b), g.b_col, g.b_row, g.n, g.k},
          .c = {static_cast<float*>(g.c), g.c_row, nullptr, g.accumulate, static_cast<const float*>(g.bias),
                g.relu},
          .a_is_left = a_is_better_left(g),
          .a_is_outer = g.m > g.n};
}

Gemm piece_of(const Gemm& g, const Piece& p) {
  bool last = p.depths.end() == g.k;
  Gemm part = g;
  part.m = p.rows.size, part.n = p.cols.size, part.k = p.depths.size;
  part.a = static_cast<const float*>(g.a) + p.rows.begin * g.a_row + p.depths.begin * g.a_col;
  part.b = static_cast<const float*>(g.b) + p.cols.begin * g.b_col + p.depths.begin * g.b_row;
  part.c = static_cast<float*>(g.c) + p.rows.begin * g.c_row + p.cols.begin;
  part.accumulate = g.accumulate || p.depths.begin > 0;
  part.bias = last && g.bias ? static_cast<const float*>(g.bias) + p.cols.begin : nullptr;
  part.relu = last && g.relu;
  return part;
}

void gemm(const Gemm& g) {
  if (g.m == 0 || g.n == 0 || g.k == 0) return gemm_float(g);
  multiply(factors_of(g), [&](const Piece& p) { return gemm_float(piece_of(g, p)), true; });
}

void gathered_gemm(const GatheredGemm& g, bool& fits) {
  Factors f = factors_of(g.product);
  f.c.row_at = g.c_row_at;
  f.a_is_left = true;
  f.a.gathered = g.a, f.b.gathered = g.b, f.b.split = g.split_b;
  fits = multiply(f, [](const Piece&) { return false; });
}

void split_b(const SplitJob& job) {
  Source b = factors_of(job.product).b;
  parallel_for(ceil_div(b.items, kSide), 1, [&](int64_t begin, int64_t end) {
    Range items{begin * kSide, smaller(end * kSide, b.items) - begin * kSide};
    Packing(b, items, {0, b.depths}, false, job.to + begin * b.split_strip(), b.split_strip()).finish();
  });
}

}  // namespace

ESPALIER_OFFER(gemm_bf16x3, gemm)
ESPALIER_OFFER(split_b_bf16x3, split_b)
ESPALIER_OFFER(gathered_gemm_bf16x3, gathered_gemm)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
