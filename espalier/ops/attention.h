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

// The weights in it: softmax(query · keyᵀ · scale + mask), […, L, S].
Tensor attention_weights(const Tensor& query, const Tensor& key, const AttentionOptions& options = {});

}  // namespace espalier
