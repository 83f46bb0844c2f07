#include <espalier/core/random.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/dropout.h>
#include <espalier/ops/embedding.h>

#include "op_case.h"

namespace espalier::test {
namespace {

// Rows of in[1] at in[0].
Plain rows_of(const std::vector<Plain>& in) {
  Shape shape = in[0].shape;
  int64_t width = in[1].shape[1];
  shape.push_back(width);
  Plain y = make(shape);
  for (size_t i = 0; i < y.v.size(); ++i) {
    y.v[i] = in[1].v[static_cast<int64_t>(in[0].v[i / width]) * width + i % width];
  }
  return y;
}

// The gradient of a weight [5, 3] from in[1], for indices in[0] and padding row 2.
Tensor weight_gradient(const Args& in) {
  Tensor weight = ones({5, 3}, {.dtype = float64, .requires_grad = true});
  Tensor y = embedding(in[0], weight, {.padding_idx = 2});
  return grad(y, {weight}, {.grad_outputs = {in[1]}, .create_graph = true})[0];
}
Plain plain_weight_gradient(const std::vector<Plain>& in) {
  Plain gw = make({5, 3});
  for (size_t i = 0; i < in[1].v.size(); ++i) {
    auto row = static_cast<int64_t>(in[0].v[i / 3]);
    if (row != 2) gw.v[row * 3 + i % 3] += in[1].v[i];
  }
  return gw;
}

Tensor dropped(const Args& in) {
  manual_seed(3);
  return dropout(in[0], 0.3);
}
Plain plain_dropped(const std::vector<Plain>& in) {
  Generator draws(3);
  return map(in, [&](const std::vector<double>& v) { return draws.uniform_double() < 0.7 ? v[0] / 0.7 : 0; });
}

Tensor indices(int64_t i) { return full({2, 2}, i); }

Rows rows({
    {.op = "embedding",
     .inputs = {{{{2, 3}, 0, 5, int64}, {{5, 4}}},
                {{{7}, 0, 5, int32}, {{5, 4}}},
                {{{}, 0, 5, int64}, {{5, 4}}},
                {{{0}, 0, 5, int64}, {{5, 4}}},
                {{{3}, 0, 5, int64}, {{5, 0}}}},
     .run = [](const Args& in) { return embedding(in[0], in[1]); },
     .reference = rows_of,
     .failures = {{"an index too large",
                   [] {
                     embedding(tensor({{0, 1}, {5, 0}}), ones({5, 2}));
                   },
                   "embedding: index 5 at position [1, 0] is outside of the 5 rows 0 to 4"},
                  {"a negative index",
                   [] {
                     embedding(indices(-1), ones({5, 2}));
                   },
                   "index -1 at position [0, 0]"},
                  {"indices of floats",
                   [] {
                     embedding(ones({2}), ones({5, 2}));
                   },
                   "must be int64 or int32, got float32"},
                  {"a vector of weights", [] { embedding(indices(0), ones({5})); },
                   "must be [rows, size], got [5]"},
                  {"padding outside",
                   [] {
                     embedding(indices(0), ones({5, 2}), {.padding_idx = 5});
                   },
                   "padding_idx 5 is outside of the 5 rows"}},
     .grad2 = false},
    {.op = "embedding_backward",
     .inputs = {{{{4, 3}, 0, 5, int64}, {{4, 3, 3}}}},
     .run = weight_gradient,
     .reference = plain_weight_gradient,
     .grad2 = false},
    {.op = "dropout",
     .inputs = {{{{4, 5}}}, {{{2, 3, 4}}}, {{{0, 3}}}, {{{}}}},
     .run = dropped,
     .reference = plain_dropped,
     .failures = {{"p above 1", [] { dropout(ones({2}), 1.5); }, "dropout: p must be from 0 to 1, got 1.5"},
                  {"p below 0", [] { dropout(ones({2}), -0.1, false); }, "got -0.1"},
                  {"integers", [] { dropout(ones({2}, {.dtype = int64})); },
                   "needs a floating point tensor, got int64"}},
     .grad2 = false},
});

}  // namespace
}  // namespace espalier::test
