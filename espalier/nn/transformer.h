#pragma once

#include <optional>
#include <vector>

#include <espalier/nn/attention.h>
#include <espalier/nn/dropout.h>
#include <espalier/nn/norm.h>

namespace espalier::nn {

struct TransformerEncoderLayerOptions {
  int64_t dim_feedforward = 2048;
  double dropout = 0.1;
  const char* activation = "relu";  // or "gelu"
  double layer_norm_eps = 1e-5;
  bool batch_first = false;
  bool norm_first = false;
  bool bias = true;
};

// The masks of a call: `encoder(x, nn::Encode{.mask = m})`. `mask` is [L, L] or [N · nhead, L, L],
// src_key_padding_mask [N, L]; both as MultiheadAttention takes them.
struct Encode {
  Tensor mask = {};
  Tensor src_key_padding_mask = {};
  bool is_causal = false;  // a promise that `mask` is the causal mask
};

// Self-attention and two linear layers, each with a residual connection and a LayerNorm. The input is
// [L, N, d_model], with batch_first [N, L, d_model], or [L, d_model].
struct TransformerEncoderLayer : Module<TransformerEncoderLayer> {
  TransformerEncoderLayer(int64_t d_model, int64_t nhead, TransformerEncoderLayerOptions options = {});

  Tensor forward(const Tensor& src, const Encode& how = {}) const;

  TransformerEncoderLayerOptions options;
  MultiheadAttention self_attn;
  Linear linear1;
  Dropout dropout;
  Linear linear2;
  LayerNorm norm1, norm2;
  Dropout dropout1, dropout2;
  ESPALIER_FIELDS(TransformerEncoderLayer, options, self_attn, linear1, dropout, linear2, norm1, norm2,
                  dropout1, dropout2)
};

// num_layers copies of a layer, one after the other, and at the end a norm if one is given. As in PyTorch all
// start from the parameters of the layer given.
struct TransformerEncoder : Module<TransformerEncoder> {
  TransformerEncoder(const TransformerEncoderLayer& encoder_layer, int64_t num_layers,
                     std::optional<LayerNorm> norm = {});

  Tensor forward(const Tensor& src, const Encode& how = {}) const;

  std::vector<TransformerEncoderLayer> layers;
  std::optional<LayerNorm> norm;
  ESPALIER_FIELDS(TransformerEncoder, layers, norm)
};

// The causal mask [size, size]: 0 on and below the diagonal, -infinity above.
Tensor generate_square_subsequent_mask(int64_t size, DType dtype = DType::float32);

extern template const ModuleType& detail::type_of<TransformerEncoderLayer>();
extern template const ModuleType& detail::type_of<TransformerEncoder>();

}  // namespace espalier::nn
