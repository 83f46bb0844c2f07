#pragma once

#include <optional>

#include <espalier/autograd/tensor.h>

namespace espalier {

struct AttentionOptions {
  // Broadcasts to […, L, S]. Of bool: true takes part; of the inputs' dtype: added to the scores.
  Tensor attn_mask = {};
  double dropout_p = 0;              // of the weights, whoever calls (pass 0 when not training)
  bool is_causal = false;            // query i sees the keys 0 … i; not with a mask
  std::optional<double> scale = {};  // absent: 1 / √E
};

// softmax(query · keyᵀ · scale + mask) · value over the last two dimensions: query […, L, E], key […, S, E],
// value […, S, D], with equal leading dimensions; floating point. A query that no key may answer gives zeros.
Tensor scaled_dot_product_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const AttentionOptions& options = {});

// The same for a sequence that attends to itself: qkv [N, L, 3 · E] has queries, keys and values side by
// side, each of E features in `heads` equal parts that attend by themselves. The result is [N, L, E].
Tensor self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options = {});

// The weights in scaled_dot_product_attention: softmax(query · keyᵀ · scale + mask), […, L, S].
Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionOptions& options = {});

// Whether attention runs as one operation with kernels of its own, which keep no weights, instead of several:
// on at first, read at each call. Dropout, bfloat16, gradients of a mask and second derivatives take the
// several.
void set_fused_attention(bool on);
bool fused_attention();

}  // namespace espalier
