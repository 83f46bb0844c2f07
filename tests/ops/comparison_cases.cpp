#include <cmath>

#include <espalier/ops/comparison.h>
#include <espalier/ops/creation.h>

#include "op_case.h"

namespace espalier::test {
namespace {

using Compare = Tensor (*)(const Tensor&, const Tensor&);

OpCase compare(const char* op, Compare run, bool (*f)(double, double)) {
  In a{{2, 3}, -2, 3, int64}, b{{3}, -2, 3, float64};
  return {.op = op,
          .inputs = {{a, b}, {b, a}, {a, a}, {{{0, 3}, -2, 3, int64}, b}},
          .run = [run](const Args& in) { return run(in[0], in[1].floor()); },
          .reference =
              [f](const std::vector<Plain>& in) {
                return map(in, [f](const auto& v) { return f(v[0], std::floor(v[1])); });
              },
          .failures = {{"shapes that do not broadcast", [run] { run(zeros({2}), zeros({3})); },
                        "do not broadcast"}},
          .grad = false};
}

OpCase examine(const char* op, Tensor (*run)(const Tensor&), bool (*f)(double)) {
  return {.op = op,
          .inputs = {{{{3, 4}, -2, 2}}, {{{5}, -2, 2, int32}}, {{{0}}}},
          .run = [run](const Args& in) { return run(1 / in[0].trunc() * 0.5); },
          .reference =
              [f](const std::vector<Plain>& in) {
                return map(in, [f](const auto& v) { return f(1 / std::trunc(v[0]) * 0.5); });
              },
          .grad = false};
}

Rows rows({
    compare("eq", eq, [](double a, double b) { return a == b; }),
    compare("ne", ne, [](double a, double b) { return a != b; }),
    compare("lt", lt, [](double a, double b) { return a < b; }),
    compare("le", le, [](double a, double b) { return a <= b; }),
    compare("gt", gt, [](double a, double b) { return a > b; }),
    compare("ge", ge, [](double a, double b) { return a >= b; }),
    compare("logical_and", logical_and, [](double a, double b) { return a != 0 && b != 0; }),
    compare("logical_or", logical_or, [](double a, double b) { return a != 0 || b != 0; }),
    compare("logical_xor", logical_xor, [](double a, double b) { return (a != 0) != (b != 0); }),
    examine("logical_not", logical_not, [](double x) { return x == 0; }),
    examine("isnan", isnan, [](double x) { return std::isnan(x); }),
    examine("isinf", isinf, [](double x) { return std::isinf(x); }),
    examine("isfinite", isfinite, [](double x) { return std::isfinite(x); }),
});

}  // namespace
}  // namespace espalier::test
