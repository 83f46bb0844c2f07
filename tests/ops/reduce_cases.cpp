#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <espalier/ops/creation.h>
#include <espalier/ops/reduce.h>

#include "plain.h"

namespace espalier::test {
namespace {

using Values = std::vector<double>;

const In k234{.shape = {2, 3, 4}};
const In kDistinct{.shape = {2, 3, 4}, .distinct = true};
const In kScalar{.shape = {}};
const In kNoRows{.shape = {0, 3, 2}};
Tensor some(const Shape& shape) { return zeros(shape); }
Tensor whole_numbers() { return zeros({2, 3}, {.dtype = int64}); }

double total(const Values& v) { return std::accumulate(v.begin(), v.end(), 0.0); }
double product(const Values& v) { return std::accumulate(v.begin(), v.end(), 1.0, std::multiplies<>()); }
double average(const Values& v) { return total(v) / static_cast<double>(v.size()); }
double spread(const Values& v, double correction) {
  double m = average(v), s = 0;
  for (double x : v) s += (x - m) * (x - m);
  return s / (static_cast<double>(v.size()) - correction);
}
double log_of_sum(const Values& v) {
  double s = 0;
  for (double x : v) s += std::exp(x);
  return std::log(s);
}
double largest(const Values& v) { return *std::max_element(v.begin(), v.end()); }
double smallest(const Values& v) { return *std::min_element(v.begin(), v.end()); }
double where_largest(const Values& v) {
  return static_cast<double>(std::max_element(v.begin(), v.end()) - v.begin());
}
double where_smallest(const Values& v) {
  return static_cast<double>(std::min_element(v.begin(), v.end()) - v.begin());
}

// The reference of a reduction over `dims` by f.
template <class F>
std::function<Plain(const std::vector<Plain>&)> by(F f, const Shape& dims = {}, bool keepdim = false) {
  return [=](const std::vector<Plain>& x) { return reduce(x[0], dims, keepdim, f); };
}

const Rows sums{
    {.op = "sum",
     .inputs = {{k234}, {kScalar}, {kNoRows}},
     .run = [](const Args& x) { return x[0].sum(); },
     .reference = by(total)},
    {.op = "sum",
     .inputs = {{k234}, {kNoRows}},
     .run =
         [](const Args& x) {
           return x[0].sum({0, -1});
         },
     .reference = by(total, {0, 2}),
     .failures = {ESPALIER_FAILS("a dimension twice", some({2, 3}).sum({1, -1}), "comes twice"),
                  ESPALIER_FAILS("a missing dimension", some({2, 3}).sum(2), "sum: dimension 2 is outside")},
     .label = "dims"},
    {.op = "sum",
     .inputs = {{k234}},
     .run = [](const Args& x) { return x[0].sum(1, true); },
     .reference = by(total, {1}, true),
     .label = "keepdim"},
    {.op = "sum_to_size",
     .inputs = {{k234}, {kNoRows}},
     .run =
         [](const Args& x) {
           return x[0].sum_to_size({3, 1});
         },
     .reference =
         [](const auto& x) {
           return with_shape(reduce(x[0], {0, 2}, false, total), {3, 1});
         },
     .failures = {ESPALIER_FAILS("a shape that doesn't broadcast", some({2, 3}).sum_to_size({2}),
                                 "sum_to_size: [2]"),
                  ESPALIER_FAILS("a longer shape", some({3}).sum_to_size({1, 3}), "sum_to_size: [1, 3]")}},
    {.op = "mean",
     .inputs = {{k234}, {kScalar}, {kNoRows}},
     .run = [](const Args& x) { return x[0].mean(); },
     .reference = by(average),
     .failures = {ESPALIER_FAILS("integers", whole_numbers().mean(), "mean: needs a floating point tensor")}},
    {.op = "mean",
     .inputs = {{k234}},
     .run =
         [](const Args& x) {
           return x[0].mean({1, 2}, true);
         },
     .reference = by(average, {1, 2}, true),
     .label = "dims"},
    {.op = "prod",
     .inputs = {{k234}, {{.shape = {2, 0, 3}}}},
     .run = [](const Args& x) { return x[0].prod(1); },
     .reference = by(product, {1}),
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).prod(2),
                                 "prod: dimension 2 is outside")}},
    {.op = "prod",
     .inputs = {{{.shape = {2, 3}}}},
     .run = [](const Args& x) { return x[0].prod(); },
     .reference = by(product),
     .label = "all"},
    {.op = "prod",
     .inputs = {{{.shape = {2, 4}}}},
     .run =
         [](const Args& x) {
           return (x[0] * tensor({1., 0., 1., 1.}, {.dtype = float64})).prod(1);
         },
     .reference = by([](const Values&) { return 0.0; }, {1}),
     .label = "with_zeros"},
    {.op = "cumsum",
     .inputs = {{k234}, {kNoRows}},
     .run = [](const Args& x) { return x[0].cumsum(1); },
     .reference =
         [](const auto& x) {
           return along(x[0], 1, [](Values& v) { std::partial_sum(v.begin(), v.end(), v.begin()); });
         },
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).cumsum(2),
                                 "cumsum: dimension 2 is outside")}},
};

const Rows spreads{
    {.op = "var",
     .inputs = {{k234}},
     .run = [](const Args& x) { return x[0].var(); },
     .reference = by([](const Values& v) { return spread(v, 1); }),
     .failures = {ESPALIER_FAILS("integers", whole_numbers().var(), "var: needs a floating point tensor")}},
    {.op = "var",
     .inputs = {{k234}},
     .run =
         [](const Args& x) {
           return x[0].var({0, 2}, 0, true);
         },
     .reference = by([](const Values& v) { return spread(v, 0); }, {0, 2}, true),
     .label = "dims"},
    {.op = "std",
     .inputs = {{k234}},
     .run = [](const Args& x) { return x[0].std(2); },
     .reference = by([](const Values& v) { return std::sqrt(spread(v, 1)); }, {2}),
     .failures = {ESPALIER_FAILS("integers", whole_numbers().std(), "std: needs a floating point tensor")}},
    {.op = "norm",
     .inputs = {{k234}, {kNoRows}},
     .run = [](const Args& x) { return x[0].norm(); },
     .reference = by(
         [](const Values& v) { return std::sqrt(std::inner_product(v.begin(), v.end(), v.begin(), 0.0)); }),
     .failures = {ESPALIER_FAILS("integers", whole_numbers().norm(), "norm: needs a floating point tensor")}},
    {.op = "logsumexp",
     .inputs = {{k234}, {{.shape = {2, 3, 0}}}},
     .run =
         [](const Args& x) {
           return x[0].logsumexp({0, 2});
         },
     .reference = by(log_of_sum, {0, 2}),
     .failures = {ESPALIER_FAILS("integers", whole_numbers().logsumexp(0),
                                 "logsumexp: needs a floating point tensor")}},
};

const Rows extremes{
    {.op = "amax",
     .inputs = {{kDistinct}, {{.shape = {0, 3, 2}}}},
     .run =
         [](const Args& x) {
           return x[0].amax({1, 2});
         },
     .reference = by(largest, {1, 2}),
     .failures = {ESPALIER_FAILS("nothing", some({0, 3}).amax(0), "amax: there is nothing to choose from"),
                  ESPALIER_FAILS("nothing at all", some({0}).max(), "nothing to choose from")},
     .grad2 = false},
    {.op = "amin",
     .inputs = {{kDistinct}},
     .run =
         [](const Args& x) {
           return x[0].amin({0, 1}, true);
         },
     .reference = by(smallest, {0, 1}, true),
     .failures = {ESPALIER_FAILS("nothing", some({0, 3}).amin(0), "amin: there is nothing to choose from")},
     .grad2 = false},
    {.op = "amax",
     .inputs = {{kDistinct}},
     .run = [](const Args& x) { return x[0].max(); },
     .reference = by(largest),
     .grad2 = false,
     .label = "max"},
    {.op = "amin",
     .inputs = {{kDistinct}},
     .run = [](const Args& x) { return x[0].min(); },
     .reference = by(smallest),
     .grad2 = false,
     .label = "min"},
    {.op = "max",
     .inputs = {{kDistinct}, {kScalar}, {{.shape = {0, 3}}}},
     .run = [](const Args& x) { return x[0].max(-1).first; },
     .reference =
         [](const auto& x) {
           int last = x[0].shape.rank() - 1;
           return last < 0 ? x[0] : reduce(x[0], {last}, false, largest);
         },
     .failures = {ESPALIER_FAILS("nothing", some({0, 3}).max(0), "max: there is nothing to choose from")},
     .grad2 = false},
    {.op = "min",
     .inputs = {{kDistinct}},
     .run = [](const Args& x) { return x[0].min(1, true).first; },
     .reference = by(smallest, {1}, true),
     .failures = {ESPALIER_FAILS("nothing", some({0, 3}).min(0), "min: there is nothing to choose from")},
     .grad2 = false},
    {.op = "argmax",
     .inputs = {{kDistinct}},
     .run = [](const Args& x) { return x[0].argmax(1); },
     .reference = by(where_largest, {1}),
     .failures = {ESPALIER_FAILS("nothing", some({0, 3}).argmax(0),
                                 "argmax: there is nothing to choose from")},
     .grad = false},
    {.op = "argmax",
     .inputs = {{kDistinct}, {kScalar}},
     .run = [](const Args& x) { return x[0].argmax(); },
     .reference = by(where_largest),
     .grad = false,
     .label = "all"},
    {.op = "argmin",
     .inputs = {{kDistinct}},
     .run = [](const Args& x) { return x[0].argmin(0, true); },
     .reference = by(where_smallest, {0}, true),
     .failures = {ESPALIER_FAILS("nothing", some({0}).argmin(), "argmin: there is nothing to choose from")},
     .grad = false},
};

const In kBits{.shape = {2, 3, 4}, .low = 0, .high = 2, .dtype = boolean};

const Rows truths{
    {.op = "any",
     .inputs = {{kBits}, {{.shape = {2, 0}, .dtype = boolean}}},
     .run = [](const Args& x) { return x[0].any(1); },
     .reference = by([](const Values& v) { return !v.empty() && largest(v) != 0 ? 1.0 : 0.0; }, {1}),
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).any(2), "any: dimension 2 is outside")},
     .grad = false},
    {.op = "all",
     .inputs = {{kBits}, {{.shape = {2, 0}, .dtype = boolean}}},
     .run = [](const Args& x) { return x[0].all(0, true); },
     .reference = by([](const Values& v) { return v.empty() || smallest(v) != 0 ? 1.0 : 0.0; }, {0}, true),
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).all(2), "all: dimension 2 is outside")},
     .grad = false},
    {.op = "sum",
     .inputs = {{kBits}, {{.shape = {3, 50}, .low = 0, .high = 256, .dtype = uint8}}},
     .run = [](const Args& x) { return x[0].sum(1); },
     .reference = by(total, {1}),
     .grad = false,
     .label = "of_integers"},
};

}  // namespace
}  // namespace espalier::test
