#include <espalier/ops/attention.h>

#include <cmath>
#include <limits>

#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>
#include "op_case.h"

namespace espalier::test {
namespace {

constexpr double kNever = -std::numeric_limits<double>::infinity();

// What the score of query i and key j gets added.
using Mask = std::function<double(int64_t matrix, int64_t i, int64_t j)>;
double no_mask(int64_t, int64_t, int64_t) { return 0; }

// Attention of the last two dimensions, matrix by matrix.
Plain attend(const Plain& q, const Plain& k, const Plain& v, double scale, const Mask& mask) {
  int r = q.shape.rank();
  int64_t queries = q.shape[r - 2], keys = k.shape[r - 2], e = q.shape[r - 1], d = v.shape[r - 1];
  Shape shape = q.shape;
  shape[r - 1] = d;
  Plain y = make(shape);
  for (int64_t row = 0; row * d < shape.numel(); ++row) {
    int64_t matrix = row / queries;
    std::vector<double> weights(keys);
    double sum = 0;
    for (int64_t j = 0; j < keys; ++j) {
      double score = 0;
      for (int64_t c = 0; c < e; ++c) score += q.v[row * e + c] * k.v[(matrix * keys + j) * e + c];
      sum += weights[j] = std::exp(score * scale + mask(matrix, row % queries, j));
    }
    for (int64_t j = 0; j < keys && sum > 0; ++j) {
      for (int64_t c = 0; c < d; ++c) y.v[row * d + c] += weights[j] / sum * v.v[(matrix * keys + j) * d + c];
    }
  }
  return y;
}

double scale_of(const Plain& q) { return 1 / std::sqrt(static_cast<double>(q.shape[q.shape.rank() - 1])); }

// Features from … to of qkv, by head, and a result by head in the order of the sequence.
Plain part(const Plain& qkv, int64_t heads, int64_t which) {
  int64_t n = qkv.shape[0], length = qkv.shape[1], e = qkv.shape[2] / 3, each = e / heads;
  Plain out = make({n, heads, length, each});
  for (int64_t i = 0; i < n * length * e; ++i) {
    int64_t c = i % e, l = i / e % length, b = i / e / length;
    out.at({b, c / each, l, c % each}) = qkv.at({b, l, which * e + c});
  }
  return out;
}
Plain joined(const Plain& y) {
  int64_t heads = y.shape[1], each = y.shape[3];
  Plain out = make({y.shape[0], y.shape[2], heads * each});
  for (int64_t b = 0; b < y.shape[0]; ++b) {
    for (int64_t l = 0; l < y.shape[2]; ++l) {
      for (int64_t c = 0; c < heads * each; ++c) out.at({b, l, c}) = y.at({b, c / each, l, c % each});
    }
  }
  return out;
}

const std::vector<std::vector<In>> shapes = {{{{3, 4}}, {{5, 4}}, {{5, 2}}},
                                             {{{2, 3, 4}}, {{2, 3, 4}}, {{2, 3, 4}}},
                                             {{{2, 2, 3, 2}}, {{2, 2, 4, 2}}, {{2, 2, 4, 3}}},
                                             {{{1, 1}}, {{1, 1}}, {{1, 1}}},
                                             {{{0, 3, 4}}, {{0, 2, 4}}, {{0, 2, 4}}}};

Tensor f(const Shape& shape) { return ones(shape); }

const Rows rows{
    {.op = "scaled_dot_product_attention",
     .inputs = shapes,
     .run = [](const Args& a) { return scaled_dot_product_attention(a[0], a[1], a[2]); },
     .reference =
         [](const std::vector<Plain>& in) { return attend(in[0], in[1], in[2], scale_of(in[0]), no_mask); },
     .failures = {{"other features",
                   [] {
                     scaled_dot_product_attention(f({3, 4}), f({5, 3}), f({5, 4}));
                   },
                   "the query must be [..., L, E] and the key [..., S, E], got [3, 4] and [5, 3]"},
                  {"another batch",
                   [] {
                     scaled_dot_product_attention(f({2, 3, 4}), f({3, 5, 4}), f({3, 5, 4}));
                   },
                   "got [2, 3, 4] and [3, 5, 4]"},
                  {"fewer values than keys",
                   [] {
                     scaled_dot_product_attention(f({3, 4}), f({5, 4}), f({4, 4}));
                   },
                   "the value must be [..., S, D]"},
                  {"a mask that does not fit",
                   [] {
                     scaled_dot_product_attention(f({3, 4}), f({5, 4}), f({5, 4}), {.attn_mask = f({2, 5})});
                   },
                   "broadcast"},
                  {"a mask of integers",
                   [] {
                     scaled_dot_product_attention(f({3, 4}), f({5, 4}), f({5, 4}),
                                                  {.attn_mask = ones({3, 5}, {.dtype = int64})});
                   },
                   "the mask must be bool or float32"},
                  {"two masks",
                   [] {
                     scaled_dot_product_attention(f({3, 4}), f({5, 4}), f({5, 4}),
                                                  {.attn_mask = f({3, 5}), .is_causal = true});
                   },
                   "is_causal goes with no other mask"},
                  {"integers",
                   [] {
                     Tensor i = ones({2, 2}, {.dtype = int64});
                     scaled_dot_product_attention(i, i, i);
                   },
                   "floating point"}}},
    {.op = "scaled_dot_product_attention",
     .inputs = shapes,
     .run =
         [](const Args& a) {
           return scaled_dot_product_attention(a[0], a[1], a[2], {.is_causal = true, .scale = 0.7});
         },
     .reference =
         [](const std::vector<Plain>& in) {
           return attend(in[0], in[1], in[2], 0.7,
                         [](int64_t, int64_t i, int64_t j) { return j > i ? kNever : 0; });
         },
     .label = "causal"},
    {.op = "scaled_dot_product_attention",
     .inputs = {{{{2, 2, 3, 2}}, {{2, 2, 4, 2}}, {{2, 2, 4, 3}}, {.shape = {2, 1, 1, 4}, .grad = false}},
                {{{2, 2, 3, 2}}, {{2, 2, 4, 2}}, {{2, 2, 4, 3}}, {.shape = {2, 1, 1, 4}}}},
     .run = [](const Args& a) { return scaled_dot_product_attention(a[0], a[1], a[2], {.attn_mask = a[3]}); },
     .reference =
         [](const std::vector<Plain>& in) {
           return attend(in[0], in[1], in[2], scale_of(in[0]),
                         [&](int64_t matrix, int64_t, int64_t j) { return in[3].v[matrix / 2 * 4 + j]; });
         },
     .label = "mask"},
    {.op = "scaled_dot_product_attention",  // the second query sees nothing
     .inputs = {{{{3, 2}}, {{4, 2}}, {{4, 3}}}},
     .run =
         [](const Args& a) {
           Tensor mask =
               tensor({{true, false, true, true}, {false, false, false, false}, {true, true, true, false}});
           return scaled_dot_product_attention(a[0], a[1], a[2], {.attn_mask = mask});
         },
     .reference =
         [](const std::vector<Plain>& in) {
           return attend(in[0], in[1], in[2], scale_of(in[0]), [](int64_t, int64_t i, int64_t j) {
             return i == 1 || (i == 0 && j == 1) || (i == 2 && j == 3) ? kNever : 0;
           });
         },
     .label = "of_bools"},
    {.op = "self_attention",
     .inputs = {{{{2, 3, 12}}}, {{{1, 4, 6}}}, {{{2, 0, 6}}}},
     .run = [](const Args& a) { return self_attention(a[0], 2); },
     .reference =
         [](const std::vector<Plain>& in) {
           Plain q = part(in[0], 2, 0);
           return joined(attend(q, part(in[0], 2, 1), part(in[0], 2, 2), scale_of(q), no_mask));
         },
     .failures = {{"heads that do not divide",
                   [] {
                     self_attention(f({2, 3, 12}), 3);
                   },
                   "divisible by 3 heads"},
                  {"no batch",
                   [] {
                     self_attention(f({3, 12}), 2);
                   },
                   "needs [N, L, 3 * E]"}}},
};

}  // namespace
}  // namespace espalier::test
