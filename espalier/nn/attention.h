#pragma once

#include <optional>
#include <utility>

#include <espalier/nn/linear.h>

namespace espalier::nn {

struct MultiheadAttentionOptions {
  double dropout = 0;  // of the weights, while training
  bool bias = true;
  bool add_bias_kv = false;                     // a learned key and value more
  bool add_zero_attn = false;                   // a key and value of zeros more
  std::optional<int64_t> kdim = {}, vdim = {};  // absent: embed_dim
  bool batch_first = false;
};

// What a call of MultiheadAttention takes beside the tensors: `attention(q, k, v, nn::Attend{.attn_mask =
// m})`.
struct Attend {
  Tensor key_padding_mask = {};  // [N, S], without a batch [S]: true, or -infinity, for keys to be left out
  bool need_weights = true;      // without them it is faster
  Tensor attn_mask = {};         // [L, S] or [N · num_heads, L, S], of the same kinds
  bool average_attn_weights = true;  // over the heads
  bool is_causal = false;            // a promise that attn_mask is the causal mask
};

// Attention with num_heads heads. The query is [L, N, embed_dim], key and value [S, N, kdim] and [S, N,
// vdim]; with batch_first the N stands first, without a batch it is absent. Gives the result, of the query's
// shape, and the weights [N, L, S] ([N, num_heads, L, S] unless averaged; undefined unless needed).
struct MultiheadAttention : Module<MultiheadAttention> {
  MultiheadAttention(int64_t embed_dim, int64_t num_heads, MultiheadAttentionOptions options = {});

  std::pair<Tensor, Tensor> forward(const Tensor& query, const Tensor& key, const Tensor& value,
                                    const Attend& how = {}) const;
  void reset_parameters();

  int64_t embed_dim, num_heads;
  MultiheadAttentionOptions options;
  bool training = true;
  // [embed_dim, …] each where key or value have sizes of their own, else one in_proj_weight [3 · embed_dim,
  // …].
  Parameter q_proj_weight, k_proj_weight, v_proj_weight, in_proj_weight;
  Parameter in_proj_bias;    // [3 · embed_dim]
  Parameter bias_k, bias_v;  // [1, 1, embed_dim]
  Linear out_proj;
  ESPALIER_FIELDS(MultiheadAttention, embed_dim, num_heads, options, training, q_proj_weight, k_proj_weight,
                  v_proj_weight, in_proj_weight, in_proj_bias, bias_k, bias_v, out_proj)
};

extern template const ModuleType& detail::type_of<MultiheadAttention>();

}  // namespace espalier::nn
