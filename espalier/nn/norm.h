#pragma once

#include <optional>

#include <espalier/nn/module.h>

namespace espalier::nn {

struct BatchNormOptions {
  double eps = 1e-5;
  std::optional<double> momentum = 0.1;  // none: the running statistics are plain means of all batches
  bool affine = true;
  bool track_running_stats = true;
};

// Normalises each channel of [N, C] or [N, C, L] by the batch's statistics while training, else by the
// running ones.
struct BatchNorm1d : Module<BatchNorm1d> {
  explicit BatchNorm1d(int64_t num_features, BatchNormOptions options = {});

  Tensor forward(const Tensor& x);
  void reset_running_stats();
  void reset_parameters();
  std::string extra_repr() const;

  int64_t num_features;
  double eps;
  std::optional<double> momentum;
  bool training = true;
  Parameter weight, bias;  // [num_features], without `affine` undefined
  Buffer running_mean, running_var, num_batches_tracked;
  ESPALIER_FIELDS(BatchNorm1d, num_features, eps, momentum, training, weight, bias, running_mean, running_var,
                  num_batches_tracked)
};

// The same for [N, C, H, W].
struct BatchNorm2d : Module<BatchNorm2d> {
  explicit BatchNorm2d(int64_t num_features, BatchNormOptions options = {});

  Tensor forward(const Tensor& x);
  void reset_running_stats();
  void reset_parameters();
  std::string extra_repr() const;

  int64_t num_features;
  double eps;
  std::optional<double> momentum;
  bool training = true;
  Parameter weight, bias;
  Buffer running_mean, running_var, num_batches_tracked;
  ESPALIER_FIELDS(BatchNorm2d, num_features, eps, momentum, training, weight, bias, running_mean, running_var,
                  num_batches_tracked)
};

struct LayerNormOptions {
  double eps = 1e-5;
  bool elementwise_affine = true;
  bool bias = true;
};

// Normalises over the last dimensions, which have the sizes of normalized_shape.
struct LayerNorm : Module<LayerNorm> {
  explicit LayerNorm(int64_t normalized_size, LayerNormOptions options = {})
      : LayerNorm(Shape{normalized_size}, options) {}
  explicit LayerNorm(const Shape& normalized_shape, LayerNormOptions options = {});

  Tensor forward(const Tensor& x) const;
  void reset_parameters();
  std::string extra_repr() const;

  Shape normalized_shape;
  double eps;
  Parameter weight, bias;  // of normalized_shape
  ESPALIER_FIELDS(LayerNorm, normalized_shape, eps, weight, bias)
};

extern template const ModuleType& detail::type_of<BatchNorm1d>();
extern template const ModuleType& detail::type_of<BatchNorm2d>();
extern template const ModuleType& detail::type_of<LayerNorm>();

}  // namespace espalier::nn
