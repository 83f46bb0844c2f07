#include <espalier/nn/init.h>

#include <cmath>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/deferred.h>
#include <espalier/core/error.h>
#include <espalier/core/random.h>

namespace espalier::nn::init {
namespace {

template <class Fill>
Tensor filled(Tensor t, Fill&& fill) {
  Array a = t.array();
  settle_deferred();
  fill(a);
  a.storage->bump_version();
  return t;
}

double kaiming_std(const Tensor& t, const KaimingOptions& o) {
  require<ValueError>(o.mode == "fan_in" || o.mode == "fan_out",
                      "kaiming: mode is 'fan_in' or 'fan_out', got '", o.mode, "'");
  Fans f = fans(t);
  return calculate_gain(o.nonlinearity, o.a) /
         std::sqrt(static_cast<double>(o.mode == "fan_in" ? f.in : f.out));
}

double xavier_std(const Tensor& t, double gain) {
  Fans f = fans(t);
  return gain * std::sqrt(2.0 / static_cast<double>(f.in + f.out));
}

}  // namespace

Tensor uniform_(Tensor t, double from, double to) {
  return filled(std::move(t), [=](Array& a) { default_generator().uniform(a, from, to); });
}

Tensor normal_(Tensor t, double mean, double std) {
  return filled(std::move(t), [=](Array& a) { default_generator().normal(a, mean, std); });
}

Tensor constant_(Tensor t, Scalar value) {
  NoGrad guard;
  return t.fill_(value);
}
Tensor ones_(Tensor t) { return constant_(std::move(t), 1); }
Tensor zeros_(Tensor t) { return constant_(std::move(t), 0); }

Fans fans(const Tensor& weight) {
  const Shape& s = weight.shape();
  require<ShapeError>(s.rank() >= 2, "init: the weight of a layer has at least 2 dimensions, got ", s);
  int64_t field = 1;
  for (int i = 2; i < s.rank(); ++i) field = checked_mul(field, s[i], "init");
  return {s[1] * field, s[0] * field};
}

double calculate_gain(std::string_view nonlinearity, double slope) {
  if (nonlinearity == "tanh") return 5.0 / 3;
  if (nonlinearity == "relu") return std::sqrt(2.0);
  if (nonlinearity == "leaky_relu") return std::sqrt(2.0 / (1 + slope * slope));
  if (nonlinearity == "selu") return 3.0 / 4;
  require<ValueError>(
      nonlinearity == "linear" || nonlinearity == "sigmoid" || nonlinearity.starts_with("conv"),
      "calculate_gain: no gain is known for '", nonlinearity,
      "'; known are linear, conv2d, sigmoid, tanh, relu, leaky_relu, selu");
  return 1;
}

Tensor xavier_uniform_(Tensor t, double gain) {
  double bound = std::sqrt(3.0) * xavier_std(t, gain);
  return uniform_(std::move(t), -bound, bound);
}

Tensor xavier_normal_(Tensor t, double gain) {
  double std = xavier_std(t, gain);
  return normal_(std::move(t), 0, std);
}

Tensor kaiming_uniform_(Tensor t, KaimingOptions options) {
  if (t.numel() == 0) return t;
  double bound = std::sqrt(3.0) * kaiming_std(t, options);
  return uniform_(std::move(t), -bound, bound);
}

Tensor kaiming_normal_(Tensor t, KaimingOptions options) {
  if (t.numel() == 0) return t;
  double std = kaiming_std(t, options);
  return normal_(std::move(t), 0, std);
}

void linear_(Tensor weight, Tensor bias) {
  kaiming_uniform_(weight, {.a = std::sqrt(5.0)});
  if (!bias.defined()) return;
  int64_t in = fans(weight).in;
  double bound = in > 0 ? 1 / std::sqrt(static_cast<double>(in)) : 0;
  uniform_(std::move(bias), -bound, bound);
}

}  // namespace espalier::nn::init
