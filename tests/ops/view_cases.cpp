#include <algorithm>
#include <functional>

#include <espalier/autograd/grad_mode.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>

#include "plain.h"

namespace espalier::test {
namespace {

const In k234{.shape = {2, 3, 4}};
Tensor some(const Shape& shape) { return zeros(shape); }

// The gradient of what f does to zeros of `shape`, under the cotangent g: for operations that only backwards
// use.
Tensor gradient_of(const Shape& shape, const Tensor& g, const std::function<Tensor(const Tensor&)>& f) {
  EnableGrad on;
  Tensor x = zeros(shape, {.dtype = float64, .requires_grad = true});
  return grad(f(x), {x}, {.grad_outputs = {g}, .create_graph = true})[0];
}

Plain permuted(const Plain& x, const Index& order) {
  Shape shape = x.shape;
  for (size_t d = 0; d < order.size(); ++d) shape[d] = x.shape[order[d]];
  return fill(shape, [&](const Index& i) {
    Index from(order.size());
    for (size_t d = 0; d < order.size(); ++d) from[order[d]] = i[d];
    return at(x, from);
  });
}

Plain picked(const Plain& x, const Shape& shape, const std::function<Index(Index)>& from) {
  return fill(shape, [&](const Index& i) { return at(x, from(i)); });
}

const Rows views{
    {.op = "reshape",
     .inputs = {{k234}, {{.shape = {4, 3, 2, 1}}}, {{.shape = {0, 24}}}},
     .run =
         [](const Args& x) {
           return x[0].numel() ? x[0].reshape({4, -1}) : x[0].reshape({4, 0});
         },
     .reference =
         [](const auto& x) {
           return with_shape(x[0], x[0].v.empty() ? Shape{4, 0} : Shape{4, 6});
         },
     .failures = {ESPALIER_FAILS("another number of elements", some({2, 3}).reshape({4, 2}),
                                 "[2, 3] has 6 elements"),
                  ESPALIER_FAILS("two open sizes", some({2, 3}).reshape({-1, -1}), "only one size may be -1"),
                  ESPALIER_FAILS("a negative size", some({2, 3}).reshape({-2, 3}), "negative"),
                  ESPALIER_FAILS("an open size of nothing", some({0, 3}).reshape({-1, 0}), "divide evenly"),
                  ESPALIER_FAILS("sizes beyond 63 bits", some({2}).reshape({int64_t{1} << 62, 4}),
                                 "63 bits")}},
    {.op = "reshape",
     .inputs = {{k234}},
     .run =
         [](const Args& x) {
           return x[0].transpose(0, 2).reshape({6, 4});
         },
     .reference =
         [](const auto& x) {
           return with_shape(permuted(x[0], {2, 1, 0}), {6, 4});
         },
     .label = "of_a_transposed"},
    {.op = "reshape",
     .inputs = {{k234}},
     .run =
         [](const Args& x) {
           return x[0].unflatten(2, {2, -1});
         },
     .reference =
         [](const auto& x) {
           return with_shape(x[0], {2, 3, 2, 2});
         },
     .failures = {ESPALIER_FAILS("sizes that do not fit", some({2, 3}).unflatten(1, {2, 2}), "unflatten"),
                  ESPALIER_FAILS("a missing dimension", some({2, 3}).unflatten(2, {2, 2}), "dimension 2")},
     .label = "unflatten"},
    {.op = "flatten",
     .inputs = {{k234}, {{.shape = {2, 0, 3}}}, {{.shape = {1, 2, 3, 2}}}},
     .run = [](const Args& x) { return x[0].flatten(1); },
     .reference =
         [](const auto& x) {
           int64_t n = x[0].shape[0];
           return with_shape(x[0], {n, x[0].shape.numel() / n});
         },
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).flatten(2), "dimension 2 is outside"),
                  ESPALIER_FAILS("dimensions the wrong way round", some({2, 3}).flatten(1, 0),
                                 "lies behind")}},
    {.op = "flatten",
     .inputs = {{{.shape = {}}}},
     .run = [](const Args& x) { return x[0].flatten(); },
     .reference = [](const auto& x) { return with_shape(x[0], {1}); },
     .label = "of_a_scalar"},
    {.op = "squeeze",
     .inputs = {{{.shape = {1, 3, 1, 2}}}, {{.shape = {1, 0}}}},
     .run = [](const Args& x) { return x[0].squeeze(); },
     .reference =
         [](const auto& x) {
           return with_shape(x[0], x[0].v.empty() ? Shape{0} : Shape{3, 2});
         }},
    {.op = "squeeze",
     .inputs = {{{.shape = {1, 3, 1, 2}}}},
     .run = [](const Args& x) { return x[0].squeeze(-2).squeeze(1); },
     .reference =
         [](const auto& x) {
           return with_shape(x[0], {1, 3, 2});
         },
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).squeeze(2), "dimension 2 is outside")},
     .label = "dim"},
    {.op = "unsqueeze",
     .inputs = {{k234}, {{.shape = {0, 2, 2}}}},
     .run = [](const Args& x) { return x[0].unsqueeze(-1).unsqueeze(0); },
     .reference =
         [](const auto& x) {
           const Shape& s = x[0].shape;
           return with_shape(x[0], {1, s[0], s[1], s[2], 1});
         },
     .failures = {ESPALIER_FAILS("a missing dimension", some({2, 3}).unsqueeze(3),
                                 "dimension 3 is outside")}},
    {.op = "transpose",
     .inputs = {{k234}, {{.shape = {2, 0, 3}}}},
     .run = [](const Args& x) { return x[0].transpose(0, -1); },
     .reference =
         [](const auto& x) {
           return permuted(x[0], {2, 1, 0});
         },
     .failures = {ESPALIER_FAILS("t of three dimensions", some({2, 3, 4}).t(), "needs a matrix"),
                  ESPALIER_FAILS("a missing dimension", some({2, 3}).transpose(0, 2),
                                 "dimension 2 is outside")}},
    {.op = "permute",
     .inputs = {{k234}, {{.shape = {2, 0, 3}}}},
     .run =
         [](const Args& x) {
           return x[0].permute({2, 0, -2});
         },
     .reference =
         [](const auto& x) {
           return permuted(x[0], {2, 0, 1});
         },
     .failures = {ESPALIER_FAILS("too few dimensions", some({2, 3}).permute({0}), "has 2 dimensions"),
                  ESPALIER_FAILS("a dimension twice", some({2, 3}).permute({0, 0}), "comes twice")}},
    {.op = "expand",
     .inputs = {{{.shape = {3, 1}}}},
     .run =
         [](const Args& x) {
           return x[0].expand({2, -1, 4});
         },
     .reference =
         [](const auto& x) {
           return picked(x[0], {2, 3, 4}, [](const Index& i) { return Index{i[1], 0}; });
         },
     .failures = {ESPALIER_FAILS("a size that isn't 1", some({2, 3}).expand({2, 4}), "can't expand [2, 3]"),
                  ESPALIER_FAILS("an unknown new size", some({3}).expand({-1, 3}), "not possible"),
                  ESPALIER_FAILS("too few dimensions", some({2, 3}).expand({3}), "fewer dimensions")}},
};

const Rows parts{
    {.op = "select",
     .inputs = {{k234}, {{.shape = {0, 3, 2}}}},
     .run = [](const Args& x) { return x[0].select(1, -1); },
     .reference =
         [](const auto& x) {
           const Shape& s = x[0].shape;
           return picked(x[0], {s[0], s[2]}, [](const Index& i) { return Index{i[0], 2, i[1]}; });
         },
     .failures = {ESPALIER_FAILS("an index outside", some({2, 3}).select(1, 3),
                                 "index 3 is outside dimension 1 of size 3"),
                  ESPALIER_FAILS("one of a scalar", some({}).select(0, 0), "scalar")}},
    {.op = "slice",
     .inputs = {{{.shape = {2, 7}}}, {{.shape = {0, 7}}}},
     .run = [](const Args& x) { return x[0].slice(1, 1, -1, 2); },
     .reference =
         [](const auto& x) {
           return picked(x[0], {x[0].shape[0], 3}, [](const Index& i) { return Index{i[0], 1 + 2 * i[1]}; });
         },
     .failures = {ESPALIER_FAILS("a step of 0", some({2, 3}).slice(1, 0, 2, 0), "at least 1"),
                  ESPALIER_FAILS("narrow beyond the end", some({2, 3}).narrow(1, 2, 2),
                                 "not all inside dimension 1")}},
    {.op = "slice",
     .inputs = {{{.shape = {5, 2}}}},
     .run = [](const Args& x) { return x[0].narrow(0, 1, 3); },
     .reference =
         [](const auto& x) {
           return picked(x[0], {3, 2}, [](const Index& i) { return Index{i[0] + 1, i[1]}; });
         },
     .label = "narrow"},
    {.op = "slice",
     .inputs = {{{.shape = {2, 7}}}},
     .run =
         [](const Args& x) {
           auto p = x[0].split(3, 1);
           return cat({p[2], p[0] * p[1]}, 1);
         },
     .reference =
         [](const auto& x) {
           return fill({2, 4}, [&](const Index& i) {
             if (i[1] == 0) return at(x[0], {i[0], 6});
             return at(x[0], {i[0], i[1] - 1}) * at(x[0], {i[0], i[1] + 2});
           });
         },
     .failures = {ESPALIER_FAILS("pieces of no size", some({2, 3}).split(0), "at least 1"),
                  ESPALIER_FAILS("no chunks", some({2, 3}).chunk(0), "at least 1")},
     .label = "split"},
    {.op = "diagonal",
     .inputs = {{{.shape = {3, 4}}}, {{.shape = {4, 3, 2}}}, {{.shape = {0, 3}}}},
     .run = [](const Args& x) { return x[0].diagonal(); },
     .reference =
         [](const auto& x) {
           const Shape& s = x[0].shape;
           int64_t n = std::min(s[0], s[1]);
           if (s.rank() == 2) return picked(x[0], {n}, [](const Index& i) { return Index{i[0], i[0]}; });
           return picked(x[0], {s[2], n}, [](const Index& i) { return Index{i[1], i[1], i[0]}; });
         },
     .failures = {ESPALIER_FAILS("a vector", some({3}).diagonal(), "at least two dimensions")}},
    {.op = "select_scatter",
     .inputs = {{{.shape = {2, 3}}, {.shape = {2}}}, {{.shape = {0, 3}}, {.shape = {0}}}},
     .run = [](const Args& x) { return select_scatter(x[0], x[1], 1, 1); },
     .reference =
         [](const auto& x) {
           return fill(x[0].shape,
                       [&](const Index& i) { return i[1] == 1 ? at(x[1], {i[0]}) : at(x[0], i); });
         },
     .failures = {ESPALIER_FAILS("a source of another shape", select_scatter(some({2, 3}), some({3}), 1, 0),
                                 "the source must be [2]")}},
    {.op = "slice_scatter",
     .inputs = {{{.shape = {2, 5}}, {.shape = {2, 2}}}, {{.shape = {0, 5}}, {.shape = {0, 2}}}},
     .run = [](const Args& x) { return slice_scatter(x[0], x[1], 1, 1, 4, 2); },
     .reference =
         [](const auto& x) {
           return fill(x[0].shape, [&](const Index& i) {
             return i[1] % 2 ? at(x[1], {i[0], i[1] / 2}) : at(x[0], i);
           });
         },
     .failures = {ESPALIER_FAILS("a source of another shape", slice_scatter(some({2, 3}), some({3}), 1, 0, 1),
                                 "the source must be [2, 1]")}},
    {.op = "diagonal_scatter",
     .inputs = {{{.shape = {2, 3}}, {.shape = {2}}}, {{.shape = {0, 3}}, {.shape = {0}}}},
     .run = [](const Args& x) { return diagonal_scatter(x[0], x[1]); },
     .reference =
         [](const auto& x) {
           return fill(x[0].shape,
                       [&](const Index& i) { return i[0] == i[1] ? at(x[1], {i[0]}) : at(x[0], i); });
         },
     .failures = {ESPALIER_FAILS("a source of another shape", diagonal_scatter(some({2, 3}), some({3})),
                                 "the source must be [2]")}},
    {.op = "select_scatter",
     .inputs = {{{.shape = {2}}}},
     .run =
         [](const Args& x) {
           return gradient_of({2, 3}, x[0], [](const Tensor& x) { return x.select(1, 2); });
         },
     .reference =
         [](const auto& x) {
           return fill({2, 3}, [&](const Index& i) { return i[1] == 2 ? at(x[0], {i[0]}) : 0; });
         },
     .label = "as_gradient"},
};

const Rows joins{
    {.op = "cat",
     .inputs = {{{.shape = {2, 3}}, {.shape = {2, 1}}},
                {{.shape = {2, 0}}, {.shape = {2, 2}}},
                {{.shape = {0, 1}}, {.shape = {0, 2}}}},
     .run =
         [](const Args& x) {
           return cat({x[0], x[1], zeros({0}, {.dtype = float64})}, -1);
         },
     .reference =
         [](const auto& x) {
           int64_t n = x[0].shape[1];
           return fill({x[0].shape[0], n + x[1].shape[1]}, [&](const Index& i) {
             return i[1] < n ? at(x[0], i) : at(x[1], {i[0], i[1] - n});
           });
         },
     .failures = {ESPALIER_FAILS("nothing", cat({}), "at least one"),
                  ESPALIER_FAILS("other sizes", cat({some({2, 3}), some({3, 3})}, 1), "tensor 1 is [3, 3]"),
                  ESPALIER_FAILS("other ranks", cat({some({2, 3}), some({2})}, 1), "tensor 1 is [2]"),
                  ESPALIER_FAILS("scalars", cat({some({}), some({})}), "use stack")}},
    {.op = "cat",
     .inputs = {{{.shape = {2, 3}}, {.shape = {2, 3}}}},
     .run =
         [](const Args& x) {
           return stack({x[0], x[1], x[0]}, 1);
         },
     .reference =
         [](const auto& x) {
           return fill({2, 3, 3}, [&](const Index& i) { return at(x[i[1] % 2], {i[0], i[2]}); });
         },
     .failures = {ESPALIER_FAILS("nothing", stack({}), "at least one"),
                  ESPALIER_FAILS("other shapes", stack({some({2}), some({3})}),
                                 "tensor 1 is [3], tensor 0 is [2]")},
     .label = "stack"},
    {.op = "cat",
     .inputs = {{{.shape = {2, 3}}}},
     .run =
         [](const Args& x) {
           return x[0].repeat({2, 1, 3});
         },
     .reference =
         [](const auto& x) {
           return picked(x[0], {2, 2, 9}, [](const Index& i) { return Index{i[1], i[2] % 3}; });
         },
     .failures = {ESPALIER_FAILS("too few numbers", some({2, 3}).repeat({2}), "each dimension"),
                  ESPALIER_FAILS("a negative number", some({2, 3}).repeat({2, -1}), "negative")},
     .label = "repeat"},
    {.op = "cat",
     .inputs = {{{.shape = {2, 5}}}},
     .run =
         [](const Args& x) {
           return roll(x[0], {-7, 1}, {1, 0});
         },
     .reference =
         [](const auto& x) {
           return picked(x[0], {2, 5}, [](const Index& i) { return Index{(i[0] + 1) % 2, (i[1] + 7) % 5}; });
         },
     .failures = {ESPALIER_FAILS("a shift too many", roll(some({2, 3}), {1, 1}, 0), "2 shifts for 1")},
     .label = "roll"},
    {.op = "pad",
     .inputs = {{{.shape = {2, 3}}}},
     .run =
         [](const Args& x) {
           return pad(x[0], {1, 2, 0, 1}, 0.5);
         },
     .reference =
         [](const auto& x) {
           return fill({3, 6}, [&](const Index& i) {
             bool inside = i[0] < 2 && i[1] >= 1 && i[1] < 4;
             return inside ? at(x[0], {i[0], i[1] - 1}) : 0.5;
           });
         },
     .failures = {ESPALIER_FAILS("an odd number of widths", pad(some({2, 3}), {1}), "two for each dimension"),
                  ESPALIER_FAILS("too many widths", pad(some({3}), {1, 1, 1, 1}), "two for each dimension"),
                  ESPALIER_FAILS("more cut than there is", pad(some({2, 3}), {-2, -2}), "than there is")}},
    {.op = "pad",
     .inputs = {{{.shape = {2, 4}}}},
     .run =
         [](const Args& x) {
           return pad(x[0], {-1, 2});
         },
     .reference =
         [](const auto& x) {
           return fill({2, 5}, [&](const Index& i) { return i[1] < 3 ? at(x[0], {i[0], i[1] + 1}) : 0; });
         },
     .label = "that_cuts"},
    {.op = "flip",
     .inputs = {{k234}, {{.shape = {2, 0, 4}}}},
     .run =
         [](const Args& x) {
           return x[0].flip({0, -1});
         },
     .reference =
         [](const auto& x) {
           return picked(x[0], x[0].shape, [](const Index& i) { return Index{1 - i[0], i[1], 3 - i[2]}; });
         },
     .failures = {ESPALIER_FAILS("a dimension twice", some({2, 3}).flip({0, -2}), "comes twice")}},
    {.op = "tril",
     .inputs = {{{.shape = {2, 3, 4}}}, {{.shape = {0, 3}}}},
     .run = [](const Args& x) { return x[0].tril(1); },
     .reference =
         [](const auto& x) {
           return fill(x[0].shape, [&](const Index& i) {
             return i[i.size() - 1] - i[i.size() - 2] <= 1 ? at(x[0], i) : 0;
           });
         },
     .failures = {ESPALIER_FAILS("a vector", some({3}).tril(), "at least two dimensions")}},
    {.op = "triu",
     .inputs = {{{.shape = {2, 4, 3}}}, {{.shape = {0, 3}}}},
     .run = [](const Args& x) { return x[0].triu(-1); },
     .reference =
         [](const auto& x) {
           return fill(x[0].shape, [&](const Index& i) {
             return i[i.size() - 1] - i[i.size() - 2] >= -1 ? at(x[0], i) : 0;
           });
         },
     .failures = {ESPALIER_FAILS("a vector", some({3}).triu(), "at least two dimensions")}},
};

}  // namespace
}  // namespace espalier::test
