#include <espalier/nn/norm.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/nn/checks.h>
#include <espalier/nn/init.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/norm.h>

namespace espalier::nn {
namespace {

// What the batch normalisations share, for their equal members.
template <class Layer>
void make(Layer& layer, const char* kind, const BatchNormOptions& options) {
  Shape features{layer.num_features};
  detail::check_setting(kind, "num_features", layer.num_features, 1);
  if (options.affine) layer.weight = empty(features), layer.bias = empty(features);
  if (options.track_running_stats) {
    layer.running_mean = Tensor(empty(features));
    layer.running_var = Tensor(empty(features));
    layer.num_batches_tracked = Tensor(empty({}, {.dtype = int64}));
  }
  layer.reset_running_stats();
  layer.reset_parameters();
}

template <class Layer>
void reset_stats(Layer& layer) {
  if (!layer.running_mean.defined()) return;
  init::zeros_(layer.running_mean);
  init::ones_(layer.running_var);
  init::zeros_(layer.num_batches_tracked);
}

void reset_affine(Parameter& weight, Parameter& bias) {
  if (weight.defined()) init::ones_(weight);
  if (bias.defined()) init::zeros_(bias);
}

template <class Layer>
Tensor normalised(Layer& layer, const Tensor& x) {
  detail::check_size(x, 1, layer.num_features, "channels");
  bool tracks = layer.running_mean.defined();
  double momentum = layer.momentum.value_or(0);
  if (layer.training && tracks && !layer.momentum) {
    momentum = 1.0 / static_cast<double>(layer.num_batches_tracked.template item<int64_t>() + 1);
  }
  Tensor y = batch_norm(x, layer.weight, layer.bias, layer.running_mean, layer.running_var,
                        {.training = layer.training || !tracks, .momentum = momentum, .eps = layer.eps});
  if (layer.training && tracks && !shapes_only()) {
    ++*layer.num_batches_tracked.array().template data<int64_t>();
    layer.num_batches_tracked.array().storage->bump_version();
  }
  return y;
}

template <class Layer>
std::string batch_norm_repr(const Layer& l) {
  std::string momentum = l.momentum ? detail::python(*l.momentum) : "None";
  return concat(l.num_features, ", eps=", detail::python(l.eps), ", momentum=", momentum,
                ", affine=", detail::python(l.weight.defined()), ", bias=", detail::python(l.bias.defined()),
                ", track_running_stats=", detail::python(l.running_mean.defined()));
}

}  // namespace

BatchNorm1d::BatchNorm1d(int64_t num_features, BatchNormOptions options)
    : num_features(num_features), eps(options.eps), momentum(options.momentum) {
  make(*this, "BatchNorm1d", options);
}
BatchNorm2d::BatchNorm2d(int64_t num_features, BatchNormOptions options)
    : num_features(num_features), eps(options.eps), momentum(options.momentum) {
  make(*this, "BatchNorm2d", options);
}

Tensor BatchNorm1d::forward(const Tensor& x) {
  detail::check_rank(x, 2, 3);
  return normalised(*this, x);
}
Tensor BatchNorm2d::forward(const Tensor& x) {
  detail::check_rank(x, 4, 4);
  return normalised(*this, x);
}

void BatchNorm1d::reset_running_stats() { reset_stats(*this); }
void BatchNorm2d::reset_running_stats() { reset_stats(*this); }
void BatchNorm1d::reset_parameters() { reset_affine(weight, bias); }
void BatchNorm2d::reset_parameters() { reset_affine(weight, bias); }
std::string BatchNorm1d::extra_repr() const { return batch_norm_repr(*this); }
std::string BatchNorm2d::extra_repr() const { return batch_norm_repr(*this); }

LayerNorm::LayerNorm(const Shape& normalized_shape, LayerNormOptions options)
    : normalized_shape(normalized_shape), eps(options.eps) {
  require<ValueError>(!normalized_shape.empty(), "LayerNorm: normalized_shape is empty");
  for (int64_t n : normalized_shape) detail::check_setting("LayerNorm", "normalized_shape", n, 1);
  if (options.elementwise_affine) weight = empty(normalized_shape);
  if (options.elementwise_affine && options.bias) bias = empty(normalized_shape);
  reset_parameters();
}

void LayerNorm::reset_parameters() { reset_affine(weight, bias); }

Tensor LayerNorm::forward(const Tensor& x) const {
  int rank = normalized_shape.rank();
  detail::check_rank(x, rank, kMaxRank);
  for (int i = 0; i < rank; ++i) detail::check_size(x, i - rank, normalized_shape[i], "features");
  return layer_norm(x, normalized_shape, weight, bias, eps);
}

std::string LayerNorm::extra_repr() const {
  std::string sizes = to_string(normalized_shape);
  sizes.back() = ')', sizes.front() = '(';
  if (normalized_shape.rank() == 1) sizes.insert(sizes.size() - 1, ",");
  return concat(sizes, ", eps=", detail::python(eps),
                ", elementwise_affine=", detail::python(weight.defined()),
                ", bias=", detail::python(bias.defined()));
}

template const ModuleType& detail::type_of<BatchNorm1d>();
template const ModuleType& detail::type_of<BatchNorm2d>();
template const ModuleType& detail::type_of<LayerNorm>();

}  // namespace espalier::nn
