#include <espalier/ops/norm.h>

#include <cmath>

#include <espalier/ops/creation.h>
#include "op_case.h"

namespace espalier::test {
namespace {

constexpr double kEps = 1e-3;

// The places of `group(place)`'s values are normalised together.
Plain normalised(const Plain& x, const std::function<int64_t(int64_t)>& group, int64_t groups) {
  std::vector<double> n(groups), mean(groups), var(groups);
  auto size = static_cast<int64_t>(x.v.size());
  for (int64_t i = 0; i < size; ++i) n[group(i)] += 1, mean[group(i)] += x.v[i];
  for (int64_t k = 0; k < groups; ++k) mean[k] /= n[k];
  for (int64_t i = 0; i < size; ++i) var[group(i)] += std::pow(x.v[i] - mean[group(i)], 2) / n[group(i)];
  Plain y = x;
  for (int64_t i = 0; i < size; ++i) y.v[i] = (x.v[i] - mean[group(i)]) / std::sqrt(var[group(i)] + kEps);
  return y;
}

int64_t channel(const Shape& shape, int64_t at) {
  for (int d = shape.rank() - 1; d > 1; --d) at /= shape[d];
  return at % shape[1];
}

Tensor none() { return {}; }

const Rows rows{
    {.op = "batch_norm",
     .inputs = {{{{4, 3}}, {{3}}, {{3}}},
                {{{3, 2, 4}}, {{2}}, {{2}}},
                {{{2, 3, 2, 3}}, {{3}}, {{3}}},
                {{{2, 3, 2, 2}}},
                {{{0, 3}}, {{3}}, {{3}}}},
     .run =
         [](const Args& a) {
           bool affine = a.size() > 1, training = a[0].numel() > 0;
           return batch_norm(a[0], affine ? a[1] : none(), affine ? a[2] : none(), zeros({a[0].size(1)}),
                             ones({a[0].size(1)}), {.training = training, .eps = kEps});
         },
     .reference =
         [](const std::vector<Plain>& in) {
           const Shape& shape = in[0].shape;
           Plain y = normalised(
               in[0], [&](int64_t i) { return channel(shape, i); }, shape[1]);
           for (size_t i = 0; in.size() > 1 && i < y.v.size(); ++i) {
             int64_t c = channel(shape, static_cast<int64_t>(i));
             y.v[i] = y.v[i] * in[1].v[c] + in[2].v[c];
           }
           return y;
         },
     .failures =
         {{"one value per channel",
           [] {
             batch_norm(ones({1, 3}), none(), none(), none(), none(), {.training = true});
           },
           "expected more than 1 value per channel when training"},
          {"a vector", [] { batch_norm(ones({3}), none(), none(), none(), none(), {.training = true}); },
           "must be [N, C]"},
          {"integers",
           [] {
             batch_norm(ones({2, 3}, {.dtype = int64}), none(), none(), none(), none(), {.training = true});
           },
           "floating point"},
          {"a weight of another size",
           [] {
             batch_norm(ones({2, 3}), ones({2}), none(), none(), none(), {.training = true});
           },
           "the weight must be [3]"},
          {"no statistics",
           [] {
             batch_norm(ones({2, 3}), none(), none(), none(), none());
           },
           "needs a running mean"}}},
    {.op = "batch_norm",
     .inputs =
         {{{{4, 3}}, {{3}}, {{3}}, {.shape = {3}, .grad = false}, {.shape = {3}, .low = 0.5, .grad = false}},
          {{{2, 3, 2, 3}},
           {{3}},
           {{3}},
           {.shape = {3}, .grad = false},
           {.shape = {3}, .low = 0.5, .grad = false}},
          {{{1, 3, 1, 1}},
           {{3}},
           {{3}},
           {.shape = {3}, .grad = false},
           {.shape = {3}, .low = 0.5, .grad = false}}},
     .run = [](const Args& a) { return batch_norm(a[0], a[1], a[2], a[3], a[4], {.eps = kEps}); },
     .reference =
         [](const std::vector<Plain>& in) {
           Plain y = in[0];
           for (size_t i = 0; i < y.v.size(); ++i) {
             int64_t c = channel(y.shape, static_cast<int64_t>(i));
             y.v[i] = (y.v[i] - in[3].v[c]) / std::sqrt(in[4].v[c] + kEps) * in[1].v[c] + in[2].v[c];
           }
           return y;
         },
     .label = "without_training"},
    {.op = "layer_norm",
     .inputs = {{{{3, 4}}, {{4}}, {{4}}},
                {{{2, 3, 4}}, {{4}}, {{4}}},
                {{{4}}, {{4}}, {{4}}},
                {{{3, 4}}},
                {{{0, 4}}, {{4}}, {{4}}}},
     .run =
         [](const Args& a) {
           return a.size() > 1 ? layer_norm(a[0], {4}, a[1], a[2], kEps)
                               : layer_norm(a[0], {4}, {}, {}, kEps);
         },
     .reference =
         [](const std::vector<Plain>& in) {
           Plain y = normalised(
               in[0], [](int64_t i) { return i / 4; }, static_cast<int64_t>(in[0].v.size()) / 4);
           for (size_t i = 0; in.size() > 1 && i < y.v.size(); ++i)
             y.v[i] = y.v[i] * in[1].v[i % 4] + in[2].v[i % 4];
           return y;
         },
     .failures = {{"other last sizes",
                   [] {
                     layer_norm(ones({3, 4}), {3});
                   },
                   "expected an input whose last dimensions are [3]"},
                  {"more dimensions than there are",
                   [] {
                     layer_norm(ones({4}), {3, 4});
                   },
                   "last dimensions are [3, 4]"},
                  {"a weight of another shape",
                   [] {
                     layer_norm(ones({3, 4}), {4}, ones({3}));
                   },
                   "weight and bias must be [4]"},
                  {"integers",
                   [] {
                     layer_norm(ones({3, 4}, {.dtype = int64}), {4});
                   },
                   "floating point"}}},
    {.op = "layer_norm",
     .inputs = {{{{2, 3, 2}}, {{3, 2}}, {{3, 2}}}},
     .run =
         [](const Args& a) {
           return layer_norm(a[0], {3, 2}, a[1], a[2], kEps);
         },
     .reference =
         [](const std::vector<Plain>& in) {
           Plain y = normalised(
               in[0], [](int64_t i) { return i / 6; }, 2);
           for (size_t i = 0; i < y.v.size(); ++i) y.v[i] = y.v[i] * in[1].v[i % 6] + in[2].v[i % 6];
           return y;
         },
     .label = "of_two_dimensions"},
};

}  // namespace
}  // namespace espalier::test
