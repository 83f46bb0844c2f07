#include <espalier/ops/norm.h>

#include <espalier/autograd/record.h>
#include <espalier/kernels/norm.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/floating.h>

namespace espalier {
namespace {

const Array* array_or_null(const Tensor& t) { return t.defined() ? &t.array() : nullptr; }

// All dimensions of x but the channels'.
Dims around_channels(const Tensor& x) {
  Shape dims{0};
  for (int d = 2; d < x.dim(); ++d) dims.push_back(d);
  return dims;
}

// [C] as [1, C, 1, 1]
Tensor by_channel(const Tensor& t, int rank) {
  Shape shape = Shape::filled(rank, 1);
  shape[1] = t.numel();
  return t.reshape(shape);
}

struct Normal {
  Tensor value, scale;  // (x - mean) * scale
};

Normal normalised(const Tensor& x, const Dims& dims, double eps) {
  Tensor centred = x - x.mean(dims, true);
  Tensor scale = (centred.square().mean(dims, true) + eps).rsqrt();
  return {centred * scale, scale};
}

// The gradient of a normalisation from that of its result, by differentiable operations.
Tensor through(const Normal& n, const Tensor& g, const Dims& dims) {
  return (g - g.mean(dims, true) - n.value * (g * n.value).mean(dims, true)) * n.scale;
}

void check_channels(const char* what, const Tensor& t, const Tensor& x) {
  require<ShapeError>(!t.defined() || t.shape() == Shape{x.size(1)}, "batch_norm: the ", what, " must be [",
                      x.size(1), "], one for each channel of ", x.shape(), ", got ",
                      t.defined() ? t.shape() : Shape());
}

void check_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                      const Tensor& var, bool training) {
  require<ShapeError>(x.dim() >= 2 && x.dim() <= 4,
                      "batch_norm: the input must be [N, C], [N, C, L] or [N, C, H, W], ", "got ", x.shape());
  detail::check_floating("batch_norm", x);
  check_channels("weight", weight, x);
  check_channels("bias", bias, x);
  check_channels("running mean", mean, x);
  check_channels("running variance", var, x);
  require<ValueError>(training || (mean.defined() && var.defined()),
                      "batch_norm: without training it needs a running mean and variance");
  int64_t values = x.size(1) > 0 ? x.numel() / x.size(1) : 2;
  require<ShapeError>(!training || values > 1,
                      "expected more than 1 value per channel when training, got the input ", x.shape());
}

void update(const Tensor& running, const Array& value, double momentum, double factor) {
  if (!running.defined() || shapes_only()) return;
  Array target = running.array();
  kernels::update_running(target, value, momentum, factor);
  target.storage->bump_version();
}

Tensor train_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                        const Tensor& running_var, const BatchNormOptions& o, Attrs attrs) {
  Array in = kernels::ordered_for_batch_norm(x.array()), y = Array::empty_like(in);
  Array mean = Array::empty({x.size(1)}, DType::float64), var = Array::empty_like(mean);
  kernels::batch_moments(mean, var, in);
  kernels::batch_norm(y, in, mean, var, array_or_null(weight), array_or_null(bias), o.eps, true);
  auto n = static_cast<double>(x.size(1) > 0 ? x.numel() / x.size(1) : 0);
  update(running_mean, mean, o.momentum, 1);
  update(running_var, var, o.momentum, n / (n - 1));
  return record("batch_norm", {x, weight, bias}, y, attrs,
                [x = saved(x), weight = saved(weight), mean, var, eps = o.eps](const Tensor& g) {
                  if (grad_enabled()) {
                    Dims dims = around_channels(x);
                    Normal normal = normalised(x, dims, eps);
                    Tensor by_weight = weight->defined() ? g * by_channel(weight, x->dim()) : g;
                    return grads(through(normal, by_weight, dims), (g * normal.value).sum(dims), g.sum(dims));
                  }
                  Array in = kernels::ordered_for_batch_norm(x->array()), gx = Array::empty_like(in);
                  Array g_weight = Array::empty_like(mean), g_bias = Array::empty_like(mean);
                  kernels::batch_norm_backward(gx, g_weight, g_bias, kernels::ordered_like(g.array(), in), in,
                                               mean, var, array_or_null(weight), eps);
                  return grads(Tensor(gx), Tensor(g_weight), Tensor(g_bias));
                });
}

Tensor apply_batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& mean,
                        const Tensor& var, double eps, Attrs attrs) {
  Array in = kernels::ordered_for_batch_norm(x.array()), y = Array::empty_like(in);
  kernels::batch_norm(y, in, mean.array(), var.array(), array_or_null(weight), array_or_null(bias), eps,
                      detail::on_tape({x, weight, bias}));
  return record("batch_norm", {x, weight, bias}, y, attrs,
                [x = saved(x), weight = saved(weight), mean = saved(mean), var = saved(var), eps,
                 to_weight = weight.defined() && weight.requires_grad()](const Tensor& g) {
                  Tensor scale = by_channel((*var + eps).rsqrt(), x->dim());
                  Tensor gx = weight->defined() ? g * (scale * by_channel(weight, x->dim())) : g * scale;
                  Dims dims = around_channels(x);
                  Tensor g_weight =
                      to_weight ? (g * ((*x - by_channel(mean, x->dim())) * scale)).sum(dims) : Tensor();
                  return grads(gx, g_weight, g.sum(dims));
                });
}

// x as [rows, n], row-major.
Array as_rows(const Array& x, int64_t n) {
  Array flat = kernels::row_major(x);
  return flat.view({n > 0 ? x.numel() / n : 0, n}, {n, 1}, flat.offset);
}

Array as_row(const Tensor& t) {
  Array flat = kernels::row_major(t.array());
  return flat.view({t.numel()}, {1}, flat.offset);
}

}  // namespace

Tensor batch_norm(const Tensor& x, const Tensor& weight, const Tensor& bias, const Tensor& running_mean,
                  const Tensor& running_var, const BatchNormOptions& o) {
  check_batch_norm(x, weight, bias, running_mean, running_var, o.training);
  Attr training{"training", o.training}, momentum{"momentum", o.momentum}, eps{"eps", o.eps};
  if (!o.training) {
    return apply_batch_norm(x, weight, bias, running_mean, running_var, o.eps, {training, momentum, eps});
  }
  return train_batch_norm(x, weight, bias, running_mean, running_var, o, {training, momentum, eps});
}

Tensor layer_norm(const Tensor& x, const Shape& normalized_shape, const Tensor& weight, const Tensor& bias,
                  double eps) {
  int count = normalized_shape.rank(), first = x.dim() - count;
  detail::check_floating("layer_norm", x);
  require<ShapeError>(
      count > 0 && first >= 0 && Shape(std::span(x.shape()).subspan(first)) == normalized_shape,
      "expected an input whose last dimensions are ", normalized_shape, ", got ", x.shape());
  for (const Tensor* t : {&weight, &bias}) {
    require<ShapeError>(!t->defined() || t->shape() == normalized_shape,
                        "layer_norm: weight and bias must be ", normalized_shape, ", got ",
                        t->defined() ? t->shape() : Shape());
  }
  int64_t n = normalized_shape.numel();
  Array y = Array::empty(x.shape(), x.dtype()), rows = as_rows(y, n);
  Array mean = Array::empty({rows.shape[0]}, kernels::stat_type(x.dtype())), scale = Array::empty_like(mean);
  Array w = weight.defined() ? as_row(weight) : Array(), b = bias.defined() ? as_row(bias) : Array();
  kernels::layer_norm(rows, mean, scale, as_rows(x.array(), n), weight.defined() ? &w : nullptr,
                      bias.defined() ? &b : nullptr, eps);
  return record("layer_norm", {x, weight, bias}, y, {{"normalized_shape", normalized_shape}, {"eps", eps}},
                [x = saved(x), weight = saved(weight), mean, scale, n, count, eps](const Tensor& g) {
                  int outer = x->dim() - count;
                  Shape shape(std::span(x->shape()).subspan(outer));
                  if (grad_enabled()) {
                    Dims dims = Shape();
                    for (int d = 0; d < count; ++d) dims.push_back(outer + d);
                    Normal normal = normalised(x, dims, eps);
                    return grads(through(normal, weight->defined() ? g * *weight : g, dims),
                                 (g * normal.value).sum_to_size(shape), g.sum_to_size(shape));
                  }
                  Array gx = Array::empty(x->shape(), x->dtype()), gx_rows = as_rows(gx, n);
                  Array g_weight = Array::empty(shape, mean.dtype), g_bias = Array::empty(shape, mean.dtype);
                  Array gw_row = g_weight.view({n}, {1}, 0), gb_row = g_bias.view({n}, {1}, 0);
                  Array w = weight->defined() ? as_row(weight) : Array();
                  kernels::layer_norm_backward(gx_rows, gw_row, gb_row, as_rows(g.array(), n),
                                               as_rows(x->array(), n), mean, scale,
                                               weight->defined() ? &w : nullptr);
                  return grads(Tensor(gx), Tensor(g_weight), Tensor(g_bias));
                });
}

}  // namespace espalier
