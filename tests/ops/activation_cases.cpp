#include <algorithm>
#include <cmath>

#include <espalier/ops/activation.h>
#include <espalier/ops/creation.h>

#include "op_case.h"

namespace espalier::test {
namespace {

double sigmoid(double x) { return 1 / (1 + std::exp(-x)); }
double gelu_tanh(double x) {
  return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
}

// Inputs keep clear of the kinks at 0, 1 and 6 and of each other.
OpCase activation(const char* op, std::function<Tensor(const Tensor&)> run, double (*f)(double),
                  bool grad2 = true, std::string label = {}) {
  return {.op = op,
          .inputs = {{{{4, 5}, -3.03, 3.01, float64, true, true}},
                     {{{}}},
                     {{{0, 2}}},
                     {{{2, 1, 9}, -9.05, 9, float64, true, true}}},
          .run = [run](const Args& in) { return run(in[0]); },
          .reference =
              [f](const std::vector<Plain>& in) { return map(in, [f](const auto& v) { return f(v[0]); }); },
          .failures = {{"an undefined tensor", [run] { run(Tensor()); }, "undefined"}},
          .grad2 = grad2,
          .label = std::move(label)};
}

Rows rows({
    activation("relu", relu, [](double x) { return std::max(x, 0.0); }),
    activation(
        "gelu", [](const Tensor& x) { return gelu(x); },
        [](double x) { return 0.5 * x * (1 + std::erf(x / std::sqrt(2))); }),
    activation(
        "gelu", [](const Tensor& x) { return gelu(x, {.approximate = "tanh"}); }, gelu_tanh, true, "tanh"),
    activation("silu", silu, [](double x) { return x * sigmoid(x); }),
    activation(
        "softplus", [](const Tensor& x) { return softplus(x, {.beta = 2, .threshold = 10}); },
        [](double x) { return 2 * x > 10 ? x : std::log1p(std::exp(2 * x)) / 2; }),
    activation(
        "leaky_relu", [](const Tensor& x) { return leaky_relu(x, 0.2); },
        [](double x) { return x > 0 ? x : 0.2 * x; }),
    activation(
        "elu", [](const Tensor& x) { return elu(x, 1.5); },
        [](double x) { return x > 0 ? x : 1.5 * std::expm1(x); }),
    activation(
        "hardtanh", [](const Tensor& x) { return hardtanh(x); },
        [](double x) { return std::min(std::max(x, -1.0), 1.0); }),
    activation("relu6", relu6, [](double x) { return std::min(std::max(x, 0.0), 6.0); }),
    {.op = "gelu",
     .inputs = {{{{2}}}},
     .run = [](const Args& in) { return gelu(in[0]); },
     .reference =
         [](const std::vector<Plain>& in) {
           return map(in, [](const auto& v) { return 0.5 * v[0] * std::erfc(-v[0] / std::sqrt(2)); });
         },
     .failures = {{"an unknown form", [] { gelu(ones({1}), {.approximate = "fast"}); },
                   "must be \"none\" or \"tanh\""}},
     .label = "forms"},
});

}  // namespace
}  // namespace espalier::test
