#include <espalier/core/random.h>

#include <espalier/autograd/record.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/floating.h>

// Random numbers written into a tensor, from the default generator.
namespace espalier {
namespace {

using detail::check_floating;

Grads no_gradient(const Tensor& g) { return grads(zeros_like(g)); }

}  // namespace

Tensor& Tensor::uniform_(double from, double to) {
  check_floating("uniform_", *this);
  require<ValueError>(from <= to, "uniform_: needs from <= to, got ", from, " and ", to);
  return record_write(
      "uniform_", *this, {*this}, {{"from", from}, {"to", to}},
      [&] { default_generator().uniform(body_->array, from, to); }, no_gradient);
}

Tensor& Tensor::normal_(double mean, double std) {
  check_floating("normal_", *this);
  return record_write(
      "normal_", *this, {*this}, {{"mean", mean}, {"std", std}},
      [&] { default_generator().normal(body_->array, mean, std); }, no_gradient);
}

Tensor& Tensor::bernoulli_(double p) {
  return record_write(
      "bernoulli_", *this, {*this}, {{"p", p}}, [&] { default_generator().bernoulli(body_->array, p); },
      no_gradient);
}

}  // namespace espalier
