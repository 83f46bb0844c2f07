#include <espalier/ops/matmul.h>

#include <espalier/ops/creation.h>
#include "op_case.h"

namespace espalier::test {
namespace {

// By nested loops, for operands of rank 2 and more.
Plain product(const Plain& a, const Plain& b) {
  int ra = a.shape.rank(), rb = b.shape.rank();
  int64_t m = a.shape[ra - 2], k = a.shape[ra - 1], n = b.shape[rb - 1];
  Shape batch = broadcast_shapes("test", Shape(std::span(a.shape).first(ra - 2)),
                                 Shape(std::span(b.shape).first(rb - 2)));
  Shape shape = batch;
  shape.push_back(m), shape.push_back(n);
  Plain y = make(shape);
  // the number of the matrix of x that stands at place `at` of the batch
  auto number = [&](const Plain& x, int64_t at) {
    int64_t number = 0, step = 1;
    for (int d = 1; d <= batch.rank(); ++d) {
      int64_t size = batch[batch.rank() - d], position = at % size;
      at /= size;
      if (d > x.shape.rank() - 2) continue;
      int64_t own = x.shape[x.shape.rank() - 2 - d];
      number += (own == 1 ? 0 : position) * step;
      step *= own;
    }
    return number;
  };
  for (int64_t at = 0; at < batch.numel(); ++at) {
    const double* pa = a.v.data() + number(a, at) * m * k;
    const double* pb = b.v.data() + number(b, at) * k * n;
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        for (int64_t q = 0; q < k; ++q) y.v[(at * m + i) * n + j] += pa[i * k + q] * pb[q * n + j];
      }
    }
  }
  return y;
}

Plain matmul_reference(const std::vector<Plain>& in) {
  Plain a = in[0], b = in[1];
  bool vector_a = a.shape.rank() == 1, vector_b = b.shape.rank() == 1;
  if (vector_a) a.shape = {1, a.shape[0]};
  if (vector_b) b.shape = {b.shape[0], 1};
  Plain y = product(a, b);
  if (vector_b) y.shape.erase(y.shape.rank() - 1);
  if (vector_a) y.shape.erase(y.shape.rank() - (vector_b ? 1 : 2));
  return y;
}

Plain linear_reference(const std::vector<Plain>& in) {
  const Plain &x = in[0], &w = in[1];
  int64_t features = w.shape[1], out = w.shape[0];
  Shape shape = x.shape;
  shape[shape.rank() - 1] = out;
  Plain y = make(shape);
  for (int64_t i = 0; i * out < shape.numel(); ++i) {
    for (int64_t o = 0; o < out; ++o) {
      double sum = in.size() > 2 ? in[2].v[o] : 0;
      for (int64_t k = 0; k < features; ++k) sum += x.v[i * features + k] * w.v[o * features + k];
      y.v[i * out + o] = sum;
    }
  }
  return y;
}

const Rows rows{
    {.op = "matmul",
     .inputs = {{{{2, 3}}, {{3, 4}}},
                {{{3}}, {{3}}},
                {{{2, 3}}, {{3}}},
                {{{3}}, {{3, 4}}},
                {{{2, 3, 4}}, {{4, 2}}},
                {{{2, 1, 3, 4}}, {{3, 4, 2}}},
                {{{3, 4}}, {{2, 4, 3}}},
                {{{2, 3, 4}}, {{4}}},
                {{{7, 1}}, {{1, 5}}},
                {{{0, 3}}, {{3, 2}}},
                {{{2, 0}}, {{0, 3}}},
                {{{0, 2, 3}}, {{3, 2}}}},
     .run = [](const Args& a) { return matmul(a[0], a[1]); },
     .reference = matmul_reference,
     .failures = {{"sizes that do not fit",
                   [] {
                     matmul(ones({2, 3}), ones({2, 3}));
                   },
                   "3 columns against 2 rows"},
                  {"a scalar", [] { matmul(ones({}), ones({2})); }, "needs vectors or matrices"},
                  {"two dtypes",
                   [] {
                     matmul(ones({2, 2}), ones({2, 2}, {.dtype = float64}));
                   },
                   "float32 and float64"},
                  {"batches that do not broadcast",
                   [] {
                     matmul(ones({2, 2, 2}), ones({3, 2, 2}));
                   },
                   "[2]"},
                  {"a tensor for mm",
                   [] {
                     mm(ones({2, 2, 2}), ones({2, 2}));
                   },
                   "mm: needs two matrices"},
                  {"two batch sizes",
                   [] {
                     bmm(ones({2, 2, 2}), ones({3, 2, 2}));
                   },
                   "bmm: needs two batches"},
                  {"two lengths", [] { dot(ones({2}), ones({3})); }, "dot: needs two vectors of one size"},
                  {"a matrix",
                   [] {
                     outer(ones({2, 2}), ones({3}));
                   },
                   "outer: needs two vectors"}}},
    {.op = "matmul",
     .inputs = {{{.shape = {4, 3}, .low = -9, .high = 9, .dtype = int64},
                 {.shape = {3, 5}, .low = -9, .high = 9, .dtype = int64}}},
     .run = [](const Args& a) { return matmul(a[0], a[1]); },
     .reference = matmul_reference,
     .grad = false,
     .label = "of_integers"},
    {.op = "matmul",
     .inputs = {{{{3}}, {{4}}}},
     .run = [](const Args& a) { return outer(a[0], a[1]) + matmul(a[0].unsqueeze(1), a[1].unsqueeze(0)); },
     .reference =
         [](const std::vector<Plain>& in) {
           Plain y = make({3, 4});
           for (int64_t i = 0; i < 12; ++i) y.v[i] = 2 * in[0].v[i / 4] * in[1].v[i % 4];
           return y;
         },
     .label = "and_outer"},
    {.op = "linear",
     .inputs = {{{{2, 3}}, {{4, 3}}, {{4}}},
                {{{2, 3}}, {{4, 3}}},
                {{{3}}, {{4, 3}}, {{4}}},
                {{{2, 3, 2}}, {{4, 2}}, {{4}}},
                {{{0, 3}}, {{4, 3}}, {{4}}},
                {{{2, 0}}, {{3, 0}}, {{3}}}},
     .run = [](const Args& a) { return linear(a[0], a[1], a.size() > 2 ? a[2] : Tensor()); },
     .reference = linear_reference,
     .failures = {{"too few features",
                   [] {
                     linear(ones({2, 3}), ones({5, 4}));
                   },
                   "expected 4 input features, got 3"},
                  {"a weight of rank 1",
                   [] {
                     linear(ones({2, 3}), ones({3}));
                   },
                   "the weight must be [out, in]"},
                  {"a bias of another size",
                   [] {
                     linear(ones({2, 3}), ones({5, 3}), ones({4}));
                   },
                   "the bias must be [5]"},
                  {"two dtypes",
                   [] {
                     linear(ones({2, 3}), ones({5, 3}, {.dtype = bfloat16}));
                   },
                   "float32 and bfloat16"}}},
};

}  // namespace
}  // namespace espalier::test
