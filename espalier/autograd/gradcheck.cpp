#include <espalier/autograd/gradcheck.h>

#include <cmath>

#include <espalier/autograd/grad_mode.h>

namespace espalier {
namespace {

double weighted_sum(const Tensor& y, const Tensor& weights) {
  auto a = y.to_vector<double>(), b = weights.to_vector<double>();
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// f at `inputs` with element `at` of input `which` moved by `by`.
Tensor moved(const Function& f, const std::vector<Tensor>& inputs, size_t which, int64_t at, double by) {
  std::vector<Tensor> args;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (i != which) {
      args.push_back(inputs[i]);
      continue;
    }
    Tensor copy(Array::empty_like(inputs[i].array()));
    copy.copy_(inputs[i].detach());
    int64_t rest = at, offset = 0;
    for (int d = copy.dim() - 1; d >= 0; --d) {
      offset += rest % copy.shape()[d] * copy.strides()[d];
      rest /= copy.shape()[d];
    }
    copy.data<double>()[offset] += by;
    args.push_back(copy.requires_grad_(inputs[i].requires_grad()));
  }
  return f(args);
}

}  // namespace

Tensor check_cotangent(const Shape& shape, DType dtype) {
  Array a = Array::empty(shape, DType::float64);
  if (!nothing_to_do(a)) {
    auto* p = a.data<double>();
    for (int64_t i = 0; i < a.numel(); ++i)
      p[i] = 0.5 + std::fmod(0.137 + 0.61803398875 * static_cast<double>(i), 1.0);
  }
  return Tensor(a).to(dtype);
}

std::string gradcheck(const Function& f, const std::vector<Tensor>& inputs, const GradcheckOptions& options) {
  std::vector<Tensor> wanted;
  for (const Tensor& x : inputs) {
    if (x.requires_grad()) wanted.push_back(x);
  }
  Tensor y = f(inputs);
  Tensor cotangent = check_cotangent(y.shape(), y.dtype());
  auto gradients = grad({y}, wanted, {.grad_outputs = {cotangent}, .allow_unused = true});
  size_t k = 0;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].requires_grad()) continue;
    require<DTypeError>(inputs[i].dtype() == DType::float64, "gradcheck: needs float64 inputs, got ",
                        inputs[i].dtype());
    const Tensor& g = gradients[k++];
    auto computed = g.defined() ? g.to_vector<double>() : std::vector<double>(inputs[i].numel(), 0.0);
    for (int64_t at = 0; at < inputs[i].numel(); ++at) {
      double up = weighted_sum(moved(f, inputs, i, at, options.eps), cotangent);
      double down = weighted_sum(moved(f, inputs, i, at, -options.eps), cotangent);
      double numeric = (up - down) / (2 * options.eps);
      if (!(std::abs(numeric - computed[at]) <= options.atol + options.rtol * std::abs(numeric))) {
        return concat("input ", i, " ", inputs[i].shape(), ", element ", at, ": the tape gives ",
                      computed[at], ", differences give ", numeric);
      }
    }
  }
  return "";
}

std::string gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options) {
  // The gradient under a cotangent that is an input itself, so that derivatives with respect to it are
  // checked too.
  std::vector<Tensor> all = inputs;
  Tensor y = f(inputs);
  all.push_back(check_cotangent(y.shape(), y.dtype()).requires_grad_());
  auto gradient = [&](const std::vector<Tensor>& args) {
    EnableGrad on;
    std::vector<Tensor> xs(args.begin(), args.end() - 1), wanted;
    for (const Tensor& x : xs) {
      if (x.requires_grad()) wanted.push_back(x);
    }
    auto gs =
        grad({f(xs)}, wanted, {.grad_outputs = {args.back()}, .create_graph = true, .allow_unused = true});
    Tensor total;
    for (const Tensor& g : gs) {
      if (!g.defined()) continue;
      Tensor part = (g * check_cotangent(g.shape(), g.dtype())).sum();
      total = total.defined() ? total + part : part;
    }
    return total;
  };
  if (!gradient(all).requires_grad()) return "the gradient is not on the tape";
  return gradcheck(gradient, all, options);
}

}  // namespace espalier
