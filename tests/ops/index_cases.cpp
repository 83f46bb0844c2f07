#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>

#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/index.h>
#include <espalier/ops/softmax.h>
#include <espalier/ops/sort.h>

#include "plain.h"

namespace espalier::test {
namespace {

using Values = std::vector<double>;

Tensor some(const Shape& shape) { return zeros(shape); }
Tensor positions(std::vector<int64_t> v) { return tensor(v); }
In index_in(const Shape& shape, double size) {
  return {.shape = shape, .low = 0, .high = size, .dtype = int64, .grad = false};
}

// The gradient of what f does to zeros of `shape`, under the cotangent g: for operations that only backwards
// use.
Tensor gradient_of(const Shape& shape, const Tensor& g, const std::function<Tensor(const Tensor&)>& f) {
  EnableGrad on;
  Tensor x = zeros(shape, {.dtype = float64, .requires_grad = true});
  return grad(f(x), {x}, {.grad_outputs = {g}, .create_graph = true})[0];
}

int64_t place(const Plain& index, const Index& i) { return static_cast<int64_t>(at(index, i)); }

// Writes the elements of `source` where `index` says along `dim`.
Plain scattered(Plain x, const Plain& index, const Plain& source, int dim, bool add) {
  fill(index.shape, [&](const Index& i) {
    Index to = i;
    to[dim] = place(index, i);
    int64_t offset = 0;
    for (int d = 0; d < x.shape.rank(); ++d) offset = offset * x.shape[d] + to[d];
    x.v[offset] = (add ? x.v[offset] : 0) + at(source, i);
    return 0.0;
  });
  return x;
}

const Rows gathers{
    {.op = "index_select",
     .inputs = {{{.shape = {2, 3, 4}}, index_in({5}, 3)},
                {{.shape = {0, 3, 2}}, index_in({2}, 3)},
                {{.shape = {2, 3, 4}}, index_in({0}, 3)}},
     .run = [](const Args& x) { return x[0].index_select(1, x[1]); },
     .reference =
         [](const auto& x) {
           const Shape& s = x[0].shape;
           return fill({s[0], x[1].shape[0], s[2]}, [&](const Index& i) {
             return at(x[0], {i[0], place(x[1], {i[1]}), i[2]});
           });
         },
     .failures = {ESPALIER_FAILS(
                      "a position outside", some({2, 3}).index_select(1, positions({0, 3})),
                      "index 3 at position 1 of the index tensor is outside dimension 1 of size 3"),
                  ESPALIER_FAILS("a matrix of positions",
                                 some({2, 3}).index_select(1, zeros({1, 1}, {.dtype = int64})),
                                 "must be a vector"),
                  ESPALIER_FAILS("positions that aren't integers", some({2, 3}).index_select(1, some({2})),
                                 "positions are int64")}},
    {.op = "index_add",
     .inputs = {{{.shape = {2, 4}}}},
     .run =
         [](const Args& x) {
           return gradient_of({2, 3}, x[0], [](const Tensor& y) {
             return y.index_select(1, positions({2, 0, 2, 2}));
           });
         },
     .reference =
         [](const auto& x) {
           return fill({2, 3}, [&](const Index& i) {
             if (i[1] == 0) return at(x[0], {i[0], 1});
             return i[1] == 1 ? 0 : at(x[0], {i[0], 0}) + at(x[0], {i[0], 2}) + at(x[0], {i[0], 3});
           });
         }},
    {.op = "gather",
     .inputs = {{{.shape = {3, 4}}, index_in({2, 5}, 4)}, {{.shape = {0, 4}}, index_in({0, 2}, 4)}},
     .run = [](const Args& x) { return x[0].gather(1, x[1]); },
     .reference =
         [](const auto& x) {
           return fill(x[1].shape, [&](const Index& i) { return at(x[0], {i[0], place(x[1], i)}); });
         },
     .failures = {ESPALIER_FAILS("a position outside",
                                 some({2, 3}).gather(0, zeros({3, 3}, {.dtype = int64}) + 2),
                                 "gather: index 2 at position 0"),
                  ESPALIER_FAILS("an index of another rank", some({2, 3}).gather(0, positions({0})),
                                 "as many dimensions"),
                  ESPALIER_FAILS("too large an index",
                                 some({2, 3}).gather(0, zeros({1, 4}, {.dtype = int64})),
                                 "is larger than the tensor")}},
    {.op = "gather",
     .inputs = {{{.shape = {3, 4}}, index_in({1, 2}, 4)}},
     .run = [](const Args& x) { return take_along_dim(x[0], x[1], 1); },
     .reference =
         [](const auto& x) {
           return fill({3, 2}, [&](const Index& i) { return at(x[0], {i[0], place(x[1], {0, i[1]})}); });
         },
     .label = "take_along_dim"},
    {.op = "scatter",
     .inputs = {{{.shape = {3, 4}}, {.shape = {2, 4}}}},
     .run =
         [](const Args& x) {
           return x[0].scatter(0, tensor({{0, 2, 2, 1}, {1, 0, 0, 2}}), x[1]);
         },
     .reference =
         [](const auto& x) {
           return scattered(x[0], {{2, 4}, {0, 2, 2, 1, 1, 0, 0, 2}}, x[1], 0, false);
         },
     .failures = {ESPALIER_FAILS("another dtype",
                                 some({2}).scatter(0, positions({0}), zeros({1}, {.dtype = float64})),
                                 "the source is float64"),
                  ESPALIER_FAILS("too small a source", some({2}).scatter(0, positions({0, 1}), some({1})),
                                 "is larger than the source"),
                  ESPALIER_FAILS("a position outside", some({2}).scatter(0, positions({2}), some({1})),
                                 "scatter: index 2 at position 0")}},
    {.op = "scatter_add",
     .inputs = {{{.shape = {3, 4}}, index_in({3, 6}, 4), {.shape = {3, 7}}},
                {{.shape = {0, 4}}, index_in({0, 6}, 4), {.shape = {0, 7}}}},
     .run = [](const Args& x) { return x[0].scatter_add(1, x[1], x[2]); },
     .reference = [](const auto& x) { return scattered(x[0], x[1], x[2], 1, true); },
     .failures = {ESPALIER_FAILS("a position outside", some({2}).scatter_add(0, positions({-1}), some({1})),
                                 "scatter_add: index -1 at position 0")}},
};

// x[…] with a row of `failures`-free cases: what the result's element i is in x.
OpCase index_case(const char* label, const Shape& shape, const std::function<Tensor(const Tensor&)>& run,
                  const Shape& result, const std::function<Index(const Index&)>& from) {
  return {.op = "index",
          .inputs = {{{.shape = shape}}},
          .run = [run](const Args& x) { return run(x[0]); },
          .reference =
              [=](const std::vector<Plain>& x) {
                return fill(result, [&](const Index& i) { return at(x[0], from(i)); });
              },
          .label = label};
}

const Index kA{2, 0, -1, 2}, kAWrapped{2, 0, 2, 2}, kB{1, 0, 3, 1};
Tensor a() { return positions(kA); }
Tensor b() { return positions(kB); }

const Rows indices{
    index_case(
        "one_tensor", {3, 4}, [](const Tensor& x) { return x[a()]; }, {4, 4},
        [](const Index& i) {
          return Index{kAWrapped[i[0]], i[1]};
        }),
    index_case(
        "neighbours", {2, 3, 4, 2},
        [](const Tensor& x) {
          return x.index({Slice{}, a(), b()});
        },
        {2, 4, 2},
        [](const Index& i) {
          return Index{i[0], kAWrapped[i[1]], kB[i[1]], i[2]};
        }),
    index_case(
        "apart", {3, 2, 4},
        [](const Tensor& x) {
          return x.index({a(), Slice{}, b()});
        },
        {4, 2},
        [](const Index& i) {
          return Index{kAWrapped[i[0]], i[1], kB[i[0]]};
        }),
    index_case(
        "broadcast", {3, 4, 2},
        [](const Tensor& x) {
          return x.index({a().reshape({2, 2, 1}), b()});
        },
        {2, 2, 4, 2},
        [](const Index& i) {
          return Index{kAWrapped[i[0] * 2 + i[1]], kB[i[2]], i[3]};
        }),
    index_case(
        "after_a_position", {2, 3, 4},
        [](const Tensor& x) {
          return x.index({1, ellipsis, b()});
        },
        {3, 4},
        [](const Index& i) {
          return Index{1, i[0], kB[i[1]]};
        }),
    index_case(
        "with_a_new_axis", {3, 4},
        [](const Tensor& x) {
          return x.index({newaxis, a(), Slice{.start = 1, .step = 2}});
        },
        {1, 4, 2},
        [](const Index& i) {
          return Index{kAWrapped[i[1]], 1 + 2 * i[2]};
        }),
    index_case(
        "one_element", {3, 4}, [](const Tensor& x) { return x[full({}, int64_t{-1})]; }, {4},
        [](const Index& i) {
          return Index{2, i[0]};
        }),
    index_case(
        "mask", {2, 3, 2},
        [](const Tensor& x) {
          return x.index({tensor({{true, false, true}, {false, false, true}})});
        },
        {3, 2},
        [](const Index& i) {
          return Index{i[0] / 2, i[0] == 0 ? 0 : 2, i[1]};
        }),
    index_case(
        "mask_of_a_dimension", {2, 3, 4},
        [](const Tensor& x) {
          return x.index({Slice{}, tensor({true, false, true})});
        },
        {2, 2, 4},
        [](const Index& i) {
          return Index{i[0], 2 * i[1], i[2]};
        }),
    index_case(
        "masked_select", {2, 3},
        [](const Tensor& x) {
          return x.masked_select(tensor({true, false, true}));
        },
        {4},
        [](const Index& i) {
          return Index{i[0] / 2, 2 * (i[0] % 2)};
        }),
    {.op = "index",
     .inputs = {{{.shape = {3, 0}}}},
     .run = [](const Args& x) { return x[0][a()]; },
     .reference =
         [](const auto&) {
           return make({4, 0});
         },
     .failures =
         {ESPALIER_FAILS("a position outside", some({2, 3})[positions({0, 5})],
                         "index: index 5 at position 1 of the index tensor is outside dimension 0 of size 2"),
          ESPALIER_FAILS("too many indices", some({2}).index({0, 0}), "2 indices for the 1 dimensions"),
          ESPALIER_FAILS("two ellipses", some({2}).index({ellipsis, ellipsis}), "only one ellipsis"),
          ESPALIER_FAILS("a mask that doesn't fit", some({2, 3})[tensor({true, false, true})],
                         "the mask [3] does not fit"),
          ESPALIER_FAILS("a position outside in a dimension", some({2, 3}).index({0, 3}),
                         "index 3 is outside"),
          ESPALIER_FAILS("tensors that do not broadcast",
                         some({2, 3}).index({positions({0, 1}), positions({0, 1, 2})}), "do not broadcast")},
     .label = "of_nothing"},
    {.op = "index_backward",
     .inputs = {{{.shape = {2, 4}}}},
     .run =
         [](const Args& x) {
           return gradient_of({2, 3}, x[0], [](const Tensor& y) {
             return y.index({Slice{}, positions({2, 0, 2, 2})});
           });
         },
     .reference =
         [](const auto& x) {
           return fill({2, 3}, [&](const Index& i) {
             if (i[1] == 0) return at(x[0], {i[0], 1});
             return i[1] == 1 ? 0 : at(x[0], {i[0], 0}) + at(x[0], {i[0], 2}) + at(x[0], {i[0], 3});
           });
         }},
    {.op = "index_put_",
     .inputs = {{{.shape = {3, 4}}, {.shape = {2, 2}}}},
     .run =
         [](const Args& x) {
           Tensor y = x[0] * 1;
           return y.index_put_({positions({0, -1}), Slice{.step = 2}}, x[1]);
         },
     .reference =
         [](const auto& x) {
           return fill({3, 4}, [&](const Index& i) {
             return i[0] != 1 && i[1] % 2 == 0 ? at(x[1], {i[0] / 2, i[1] / 2}) : at(x[0], i);
           });
         },
     .failures = {ESPALIER_FAILS("values of another shape", some({2, 3}).index_put_({0}, some({2})),
                                 "do not broadcast"),
                  ESPALIER_FAILS("a position outside", some({2, 3}).index_put_({2}, some({3})),
                                 "index 2 is outside")}},
    {.op = "index_put_",
     .inputs = {{{.shape = {3, 4}}, {.shape = {}}}},
     .run =
         [](const Args& x) {
           Tensor y = x[0] * 1;
           return y.index_put_({1, Slice{.start = 2}}, x[1]);
         },
     .reference =
         [](const auto& x) {
           return fill({3, 4},
                       [&](const Index& i) { return i[0] == 1 && i[1] >= 2 ? x[1].v[0] : at(x[0], i); });
         },
     .label = "a_number"},
    {.op = "nonzero",
     .inputs = {{{.shape = {3, 4}, .low = 0, .high = 2, .dtype = int64}}, {{.shape = {0, 4}}}},
     .run = [](const Args& x) { return x[0].nonzero(); },
     .reference =
         [](const auto& x) {
           Plain out{{0, 2}, {}};
           fill(x[0].shape, [&](const Index& i) {
             if (at(x[0], i) != 0) out.v.insert(out.v.end(), i.begin(), i.end());
             return 0.0;
           });
           out.shape[0] = static_cast<int64_t>(out.v.size()) / 2;
           return out;
         },
     .grad = false},
    {.op = "one_hot",
     .inputs = {{{.shape = {2, 3}, .low = 0, .high = 4, .dtype = int64}}, {{.shape = {0}, .dtype = int64}}},
     .run = [](const Args& x) { return one_hot(x[0], 4); },
     .reference =
         [](const auto& x) {
           Shape shape = x[0].shape;
           shape.push_back(4);
           return fill(shape, [&](Index i) {
             double c = static_cast<double>(i.back());
             i.pop_back();
             return at(x[0], i) == c ? 1.0 : 0.0;
           });
         },
     .failures = {ESPALIER_FAILS("a class outside", one_hot(positions({0, 4}), 4),
                                 "one_hot: index 4 at position 1"),
                  ESPALIER_FAILS("a class below 0", one_hot(positions({-1}), 4),
                                 "one_hot: index -1 at position 0")},
     .grad = false},
};

std::vector<int64_t> order_of(const Values& v, bool descending) {
  std::vector<int64_t> order(v.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [&](int64_t i, int64_t j) { return descending ? v[i] > v[j] : v[i] < v[j]; });
  return order;
}

const Rows sorts{
    {.op = "sort",
     .inputs = {{{.shape = {2, 5, 3}, .distinct = true}}, {{.shape = {0, 2, 2}}}},
     .run = [](const Args& x) { return x[0].sort(1).first; },
     .reference =
         [](const auto& x) { return along(x[0], 1, [](Values& v) { std::sort(v.begin(), v.end()); }); },
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).sort(2),
                                 "sort: dimension 2 is outside")},
     .grad2 = false},
    {.op = "argsort",
     .inputs = {{{.shape = {2, 30}, .low = 0, .high = 4, .dtype = int64}}},
     .run = [](const Args& x) { return x[0].argsort(-1, true); },
     .reference =
         [](const auto& x) {
           return along(x[0], 1, [](Values& v) {
             auto order = order_of(v, true);
             std::copy(order.begin(), order.end(), v.begin());
           });
         },
     .grad = false},
    {.op = "topk",
     .inputs = {{{.shape = {2, 6}, .distinct = true}}, {{.shape = {0, 6}}}},
     .run = [](const Args& x) { return x[0].topk(3).first; },
     .reference =
         [](const auto& x) {
           Plain sorted = along(x[0], 1, [](Values& v) { std::sort(v.rbegin(), v.rend()); });
           return fill({x[0].shape[0], 3}, [&](const Index& i) { return at(sorted, i); });
         },
     .failures = {ESPALIER_FAILS("more than there are", some({2, 3}).topk(4),
                                 "k is 4, dimension 1 of [2, 3] has 3"),
                  ESPALIER_FAILS("a negative number", some({2, 3}).topk(-1), "k is -1")},
     .grad2 = false},
};

Plain softmax_reference(const Plain& x, int dim, bool log) {
  return along(x, dim, [log](Values& v) {
    double sum = 0;
    for (double e : v) sum += std::exp(e);
    for (double& e : v) e = log ? e - std::log(sum) : std::exp(e) / sum;
  });
}

const Rows softmaxes{
    {.op = "softmax",
     .inputs = {{{.shape = {3, 20}}}, {{.shape = {0, 3}}}, {{.shape = {2, 3, 4}}}},
     .run = [](const Args& x) { return x[0].softmax(-1); },
     .reference = [](const auto& x) { return softmax_reference(x[0], x[0].shape.rank() - 1, false); },
     .failures = {ESPALIER_FAILS("integers", zeros({2}, {.dtype = int64}).softmax(0),
                                 "softmax: needs a floating"),
                  ESPALIER_FAILS("a missing dimension", some({2, 3}).softmax(2),
                                 "softmax: dimension 2 is outside")}},
    {.op = "softmax",
     .inputs = {{{.shape = {3, 4, 5}}}, {{.shape = {2, 3, 1}}}},
     .run = [](const Args& x) { return x[0].softmax(1); },
     .reference = [](const auto& x) { return softmax_reference(x[0], 1, false); },
     .label = "middle"},
    {.op = "log_softmax",
     .inputs = {{{.shape = {3, 20}}}, {{.shape = {0, 3}}}},
     .run = [](const Args& x) { return x[0].log_softmax(-1); },
     .reference = [](const auto& x) { return softmax_reference(x[0], 1, true); },
     .failures = {ESPALIER_FAILS("integers", zeros({2}, {.dtype = int64}).log_softmax(0),
                                 "log_softmax: needs a floating")}},
    {.op = "log_softmax",
     .inputs = {{{.shape = {3, 4, 5}}}},
     .run = [](const Args& x) { return x[0].log_softmax(0); },
     .reference = [](const auto& x) { return softmax_reference(x[0], 0, true); },
     .label = "first"},
};

}  // namespace
}  // namespace espalier::test
