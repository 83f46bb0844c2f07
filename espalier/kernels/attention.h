#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::kernels {

// Whether attention runs on these kernels. On at first.
void set_fused_attention(bool on);
bool fused_attention();

// float32 or float64, with elements. query [N, H, L, E], key [N, H, S, E], value [N, H, S, D] with features
// side by side, whatever the other strides; mask [N, H, L, S] is added to the scores, strides of 0 repeat it.
struct AttentionInputs {
  Array query, key, value;
  const Array* mask = nullptr;
  double scale = 1;
  bool causal = false;
};

// y = softmax(query · keyᵀ · scale + mask) · value, with features side by side, and the logarithm of each
// softmax's divisor [N, H, L]. A query without keys gives zeros (and a divisor of infinity).
void attention(Array& y, Array& log_sum, const AttentionInputs& in);
// Gradients, into arrays with features side by side, from g of that kind. The weights are computed again.
void attention_backward(Array& g_query, Array& g_key, Array& g_value, const Array& g, const Array& y,
                        const Array& log_sum, const AttentionInputs& in);

// ---- what the vectorised code works on

// Row r of head h of image n begins at data + n * batch + h * head + r * row, in elements.
struct Heads {
  void* data = nullptr;
  int64_t batch = 0, head = 0, row = 0;
};

struct AttentionJob {
  DType dtype;
  int64_t batch, heads, queries, keys, features, value_features;
  double scale;
  bool causal;
  Heads query, key, value, y = {}, mask = {};
  int64_t mask_step = 0;  // from key to key
  void* log_sum;          // [batch, heads, queries]
  Heads g = {}, g_query = {}, g_key = {}, g_value = {};
};
inline constinit Kernel<void(const AttentionJob&)> attention_heads, attention_heads_backward;

}  // namespace espalier::kernels
