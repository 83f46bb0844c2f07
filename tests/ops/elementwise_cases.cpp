#include <algorithm>
#include <cmath>

#include <espalier/ops/arithmetic.h>
#include <espalier/ops/copy.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/math.h>
#include <espalier/ops/power.h>
#include <espalier/ops/select.h>

#include "op_case.h"

namespace espalier::test {
namespace {

using Values = const std::vector<double>&;
using Reference = std::function<Plain(const std::vector<Plain>&)>;

Reference each(std::function<double(Values)> f) {
  return [f](const std::vector<Plain>& in) { return map(in, f); };
}

// Shapes for operations of one input and of two.
std::vector<std::vector<In>> one(double low = -2, double high = 2) {
  return {{{{3, 4}, low, high}}, {{{}, low, high}}, {{{0, 2}, low, high}}, {{{2, 1, 3}, low, high}}};
}
std::vector<std::vector<In>> two(In a, In b) {
  std::vector<std::vector<In>> out;
  for (auto [s, t] : std::initializer_list<std::pair<Shape, Shape>>{{{2, 3}, {2, 3}},
                                                                    {{2, 3}, {3}},
                                                                    {{2, 1}, {1, 3}},
                                                                    {{4}, {}},
                                                                    {{0, 3}, {3}},
                                                                    {{2, 1, 3}, {4, 1}}}) {
    a.shape = s;
    b.shape = t;
    out.push_back({a, b});
  }
  return out;
}
std::vector<std::vector<In>> two() { return two({{}}, {{}}); }

OpCase unary(const char* op, Tensor (*run)(const Tensor&), double (*f)(double), double low = -2,
             double high = 2) {
  return {.op = op,
          .inputs = one(low, high),
          .run = [run](const Args& in) { return run(in[0]); },
          .reference = each([f](Values v) { return f(v[0]); }),
          .failures = {{"an undefined tensor", [run] { run(Tensor()); }, "undefined"}}};
}

// Constant pieces: the gradient is 0, which differences confirm away from the steps.
OpCase steps(const char* op, Tensor (*run)(const Tensor&), double (*f)(double)) {
  OpCase row = unary(op, run, f);
  row.inputs = {{{{20}, -2.3, 2.4, float64, true, true}}};
  row.grad2 = false;
  return row;
}

Failure wrong_shapes(Tensor (*run)(const Tensor&, const Tensor&)) {
  return {"shapes that do not broadcast", [run] { run(zeros({2}), zeros({3})); }, "do not broadcast"};
}

OpCase binary(const char* op, Tensor (*run)(const Tensor&, const Tensor&), double (*f)(double, double),
              std::vector<std::vector<In>> inputs) {
  return {.op = op,
          .inputs = std::move(inputs),
          .run = [run](const Args& in) { return run(in[0], in[1]); },
          .reference = each([f](Values v) { return f(v[0], v[1]); }),
          .failures = {wrong_shapes(run)}};
}

OpCase with_number(const char* op, std::function<Tensor(const Tensor&)> run, double (*f)(double),
                   double low = -2, double high = 2, bool grad2 = true) {
  return {.op = op,
          .inputs = one(low, high),
          .run = [run](const Args& in) { return run(in[0]); },
          .reference = each([f](Values v) { return f(v[0]); }),
          .grad2 = grad2,
          .label = "number"};
}

const In kPositive{{}, 0.3, 2};

Rows arithmetic({
    binary(
        "add", [](const Tensor& a, const Tensor& b) { return a + b; },
        [](double a, double b) { return a + b; }, two()),
    binary(
        "sub", [](const Tensor& a, const Tensor& b) { return a - b; },
        [](double a, double b) { return a - b; }, two()),
    binary(
        "add", [](const Tensor& a, const Tensor& b) { return add(a, b, 0.5); },
        [](double a, double b) { return a + 0.5 * b; }, two()),
    binary(
        "sub", [](const Tensor& a, const Tensor& b) { return sub(a, b, 3); },
        [](double a, double b) { return a - 3 * b; }, two()),
    binary(
        "mul", [](const Tensor& a, const Tensor& b) { return a * b; },
        [](double a, double b) { return a * b; }, two()),
    binary(
        "div", [](const Tensor& a, const Tensor& b) { return a / b; },
        [](double a, double b) { return a / b; }, two({{}}, kPositive)),
    with_number(
        "add", [](const Tensor& x) { return x + 3; }, [](double x) { return x + 3; }),
    with_number(
        "sub", [](const Tensor& x) { return x - 3; }, [](double x) { return x - 3; }),
    with_number(
        "mul", [](const Tensor& x) { return x * 1.5; }, [](double x) { return x * 1.5; }),
    with_number(
        "div", [](const Tensor& x) { return x / 4; }, [](double x) { return x / 4; }),
    with_number(
        "rsub", [](const Tensor& x) { return 2 - x; }, [](double x) { return 2 - x; }),
    with_number(
        "rdiv", [](const Tensor& x) { return 2 / x; }, [](double x) { return 2 / x; }, 0.5, 2),
    unary("neg", neg, [](double x) { return -x; }),
});

Rows functions({
    unary("abs", abs, std::fabs, 0.1, 2),
    steps("sign", sign, [](double x) { return double((x > 0) - (x < 0)); }),
    unary("square", square, [](double x) { return x * x; }),
    unary("exp", exp, std::exp),
    unary("expm1", expm1, std::expm1),
    unary("log", log, std::log, 0.1, 3),
    unary("log1p", log1p, std::log1p, -0.8, 3),
    unary("sqrt", sqrt, std::sqrt, 0.1, 3),
    unary(
        "rsqrt", rsqrt, [](double x) { return 1 / std::sqrt(x); }, 0.2, 3),
    unary(
        "reciprocal", reciprocal, [](double x) { return 1 / x; }, 0.3, 3),
    unary("sin", sin, std::sin, -5, 5),
    unary("cos", cos, std::cos, -5, 5),
    unary("tanh", tanh, std::tanh),
    unary("erf", erf, std::erf),
    unary("sigmoid", sigmoid, [](double x) { return 1 / (1 + std::exp(-x)); }),
    steps("floor", floor, std::floor),
    steps("ceil", ceil, std::ceil),
    steps("round", round, std::nearbyint),
    steps("trunc", trunc, std::trunc),
});

Rows powers({
    with_number(
        "pow", [](const Tensor& x) { return x.pow(2); }, [](double x) { return x * x; }),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(3); }, [](double x) { return x * x * x; }),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(0.5); }, std::sqrt, 0.3, 2),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(-0.5); }, [](double x) { return 1 / std::sqrt(x); }, 0.3,
        2),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(-1); }, [](double x) { return 1 / x; }, 0.3, 2),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(1.7); }, [](double x) { return std::pow(x, 1.7); }, 0.3, 2),
    with_number(
        "pow", [](const Tensor& x) { return x.pow(0); }, [](double) { return 1.0; }, -2, 2, false),
    binary(
        "pow", pow, [](double a, double b) { return std::pow(a, b); }, two(kPositive, {{}})),
    binary(
        "remainder", remainder, [](double a, double b) { return a - b * std::floor(a / b); },
        two({{}, 0.1, 0.25}, {{}, 0.3, 0.5})),
    with_number(
        "remainder", [](const Tensor& x) { return x.remainder(-3); },
        [](double x) { return x + 3 * std::floor(-x / 3); }, 0.1, 2.9, false),
    {.op = "floor_divide",
     .inputs = two({{}}, kPositive),
     .run = [](const Args& in) { return floor_divide(in[0], in[1]); },
     .reference = each([](Values v) { return std::floor(v[0] / v[1]); }),
     .failures = {wrong_shapes(floor_divide),
                  {"division of integers by 0", [] { ones({2}, {.dtype = int64}).floor_divide(0); }, "by 0"},
                  {"division of integers by 0", [] { remainder(ones({1}, {.dtype = int32}), tensor({0})); },
                   "by 0"}},
     .grad = false},
});

In in_range(Shape shape) { return {shape, -2, 2, float64, true, true}; }

Rows choices({
    {.op = "where",
     .inputs = {{{{2, 3}, 0, 2, boolean}, {{2, 3}}, {{3}}}, {{{3}, 0, 2, boolean}, {{2, 1}}, {{}}}},
     .run = [](const Args& in) { return where(in[0], in[1], in[2]); },
     .reference = each([](Values v) { return v[0] != 0 ? v[1] : v[2]; }),
     .failures = {{"a condition that isn't bool", [] { where(ones({2}), 1, 0); }, "must be a bool tensor"}}},
    {.op = "masked_fill",
     .inputs = {{{{2, 3}}, {{3}, 0, 2, boolean}}, {{{2, 1}}, {{2, 3}, 0, 2, boolean}}},
     .run = [](const Args& in) { return in[0].masked_fill(in[1], 7); },
     .reference = each([](Values v) { return v[1] != 0 ? 7 : v[0]; }),
     .failures = {{"a mask that isn't bool", [] { ones({2}).masked_fill(ones({2}), 0); },
                   "must be a bool tensor"},
                  {"a fraction in integers",
                   [] {
                     arange(2).masked_fill(tensor({true, false}), 0.5);
                   },
                   "can't hold the value 0.5"}}},
    binary(
        "maximum", maximum, [](double a, double b) { return std::max(a, b); }, two({{}}, {{}, -1.99, 1.99})),
    binary(
        "minimum", minimum, [](double a, double b) { return std::min(a, b); }, two({{}}, {{}, -1.99, 1.99})),
    {.op = "clamp",
     .inputs = {{in_range({20})}, {in_range({4, 3})}, {in_range({0})}},
     .run = [](const Args& in) { return in[0].clamp(-1, 0.49); },
     .reference = each([](Values v) { return std::min(std::max(v[0], -1.0), 0.49); }),
     .failures = {{"no bound", [] { ones({1}).clamp({}, {}); }, "needs a minimum, a maximum or both"}}},
    {.op = "clamp",
     .inputs = {{in_range({20})}},
     .run = [](const Args& in) { return in[0].clamp({}, 0.49); },
     .reference = each([](Values v) { return std::min(v[0], 0.49); }),
     .label = "above"},
    {.op = "lerp",
     .inputs = {{{{2, 3}}, {{3}}, {{2, 1}, 0, 1}}},
     .run = [](const Args& in) { return lerp(in[0], in[1], in[2]); },
     .reference = each([](Values v) { return v[0] + v[2] * (v[1] - v[0]); })},
    {.op = "lerp",
     .inputs = two(),
     .run = [](const Args& in) { return lerp(in[0], in[1], 0.7); },
     .reference = each([](Values v) { return v[0] + 0.7 * (v[1] - v[0]); }),
     .label = "number"},
});

// In place, on a copy of the first input.
OpCase written(const char* op, std::function<void(Tensor&, const Tensor&)> run, double (*f)(double, double)) {
  In a{{2, 3}, 0.3, 2}, b{{3}, 0.3, 2};
  return {.op = op,
          .inputs = {{a, b}, {a, a}},
          .run =
              [run](const Args& in) {
                Tensor x = in[0] * 1;
                run(x, in[1]);
                return x;
              },
          .reference = each([f](Values v) { return f(v[0], v[1]); }),
          .failures = {{"a shape that is too large",
                        [run] {
                          Tensor x = ones({3});
                          run(x, ones({2, 3}));
                        },
                        "does not broadcast to"}}};
}

// Of one input: the second one is left alone.
OpCase written_alone(const char* op, std::function<void(Tensor&)> run, double (*f)(double)) {
  return {.op = op,
          .inputs = {{{{2, 3}, -2, 2, float64, true, true}}},
          .run =
              [run](const Args& in) {
                Tensor x = in[0] * 1;
                run(x);
                return x;
              },
          .reference = each([f](Values v) { return f(v[0]); }),
          .failures = {{"a leaf that needs a gradient",
                        [run] {
                          Tensor x = ones({3}, {.requires_grad = true});
                          run(x);
                        },
                        "can't be written in place"}},
          .grad2 = false};
}

Rows in_place({
    written(
        "add_", [](Tensor& x, const Tensor& y) { x.add_(y, 2); },
        [](double a, double b) { return a + 2 * b; }),
    written(
        "sub_", [](Tensor& x, const Tensor& y) { x.sub_(y); }, [](double a, double b) { return a - b; }),
    written(
        "mul_", [](Tensor& x, const Tensor& y) { x.mul_(y); }, [](double a, double b) { return a * b; }),
    written(
        "div_", [](Tensor& x, const Tensor& y) { x.div_(y); }, [](double a, double b) { return a / b; }),
    written(
        "copy_", [](Tensor& x, const Tensor& y) { x.copy_(y); }, [](double, double b) { return b; }),
    written_alone(
        "add_", [](Tensor& x) { x.add_(2); }, [](double a) { return a + 2; }),
    written_alone(
        "sub_", [](Tensor& x) { x.sub_(2); }, [](double a) { return a - 2; }),
    written_alone(
        "mul_", [](Tensor& x) { x.mul_(2); }, [](double a) { return a * 2; }),
    written_alone(
        "div_", [](Tensor& x) { x.div_(2); }, [](double a) { return a / 2; }),
    written_alone(
        "fill_", [](Tensor& x) { x.fill_(3); }, [](double) { return 3.0; }),
    written_alone(
        "clamp_", [](Tensor& x) { x.clamp_(-0.9, 1.1); }, [](double a) { return std::clamp(a, -0.9, 1.1); }),
    written_alone(
        "uniform_", [](Tensor& x) { x.uniform_(4, 4); }, [](double) { return 4.0; }),
    written_alone(
        "normal_", [](Tensor& x) { x.normal_(5, 0); }, [](double) { return 5.0; }),
    written_alone(
        "bernoulli_", [](Tensor& x) { x.bernoulli_(1); }, [](double) { return 1.0; }),
});

Rows copies({
    unary("clone", clone, [](double x) { return x; }),
    {.op = "contiguous",
     .inputs = {{{{3, 4}}}, {{{0, 2}}}},
     .run = [](const Args& in) { return Tensor(in[0].t()).contiguous().t(); },
     .reference = each([](Values v) { return v[0]; })},
    {.op = "to",
     .inputs = {{{{3, 4}}}},
     .run = [](const Args& in) { return in[0].to(float32).to(float64); },
     .reference = each([](Values v) { return double(float(v[0])); }),
     .grad = false},
});

}  // namespace
}  // namespace espalier::test
