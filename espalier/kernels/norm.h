#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::kernels {

// Batch normalisation of x [N, C, …]. Weight and bias may be null (1 and 0). x, y and gradients lie in one
// order: ordered_for_batch_norm gives it. Statistics of a batch and gradients of weight and bias are [C] of
// float64.

// x in an order that the kernels take: its own where that is channels-last or row-major, else a copy.
Array ordered_for_batch_norm(const Array& x);
Array ordered_like(const Array& x, const Array& like);

// Mean and biased variance of each channel, as exact as two passes, whatever the number of threads.
void batch_moments(Array& mean, Array& var, const Array& x);
// y = (x - mean) / sqrt(var + eps) * weight + bias. Unless x is read later, the convolution before may take
// the factors into its weights.
void batch_norm(Array& y, const Array& x, const Array& mean, const Array& var, const Array* weight,
                const Array* bias, double eps, bool reads_x_later);
// Gradients of batch_norm where mean and var are those of x.
void batch_norm_backward(Array& gx, Array& g_weight, Array& g_bias, const Array& g, const Array& x,
                         const Array& mean, const Array& var, const Array* weight, double eps);
// running = (1 - momentum) * running + momentum * factor * value
void update_running(Array& running, const Array& value, double momentum, double factor);

DType stat_type(DType d);  // float64 for float64, else float32
// Normalisation of each row of x [rows, n], row-major. mean (less the row's first element) and
// scale (1 / standard deviation) are [rows] of stat_type(x's dtype), like the gradients of weight and bias.
void layer_norm(Array& y, Array& mean, Array& scale, const Array& x, const Array* weight, const Array* bias,
                double eps);
void layer_norm_backward(Array& gx, Array& g_weight, Array& g_bias, const Array& g, const Array& x,
                         const Array& mean, const Array& scale, const Array* weight);

// What the vectorised code works on: element (o, c, i) of [outer, channels, inner]. `inner` is 1 in
// channels-last order. Reductions give one row [channels] of partial results for each `chunk` of outer
// positions.
struct BatchNormJob {
  DType dtype;
  int64_t outer, channels, inner, chunk;
  const void* x = nullptr;
  const void* g = nullptr;
  void* out = nullptr;                                     // y or gx
  const void *mean = nullptr, *a = nullptr, *b = nullptr;  // coefficients
  const void* c = nullptr;
  void *first = nullptr, *second = nullptr;  // partial results
  const void* plus = nullptr;                // elements added to the result
  bool relu = false;                         // negative results become 0
  const void* mask = nullptr;                // g counts as 0 where these elements are not above 0
};
inline constinit Kernel<void(const BatchNormJob&)>
    batch_moments_chunks;  // mean less the first element, sum of squares about it
inline constinit Kernel<void(const BatchNormJob&)> batch_norm_apply;     // out = (x - mean) * a + b [+ plus]
inline constinit Kernel<void(const BatchNormJob&)> batch_norm_sums;      // sum of g, of g * (x - mean)
inline constinit Kernel<void(const BatchNormJob&)> batch_norm_gradient;  // out = (g - b - (x - mean) * c) * a

struct LayerNormJob {
  DType dtype;
  int64_t rows, n, chunk;
  double eps = 0;
  const void* x = nullptr;
  const void* g = nullptr;
  void* out = nullptr;
  void *mean = nullptr, *scale = nullptr;
  const void *weight = nullptr, *bias = nullptr;  // of the compute type, never null
  void *g_weight = nullptr, *g_bias = nullptr;    // partial results [chunks, n]
};
inline constinit Kernel<void(const LayerNormJob&)> layer_norm_rows, layer_norm_gradient_rows;

}  // namespace espalier::kernels
