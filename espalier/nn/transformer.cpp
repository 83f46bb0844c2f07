#include <espalier/nn/transformer.h>

#include <limits>
#include <string_view>

#include <espalier/nn/checks.h>
#include <espalier/ops/activation.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/view.h>

namespace espalier::nn {
namespace {

Tensor attended(const TransformerEncoderLayer& l, const Tensor& x, const Encode& how) {
  auto [y, weights] = l.self_attn(x, x, x,
                                  Attend{.key_padding_mask = how.src_key_padding_mask,
                                         .need_weights = false,
                                         .attn_mask = how.mask,
                                         .is_causal = how.is_causal});
  return l.dropout1(y);
}

Tensor fed_forward(const TransformerEncoderLayer& l, const Tensor& x) {
  Tensor y = l.linear1(x);
  y = l.options.activation == std::string_view("gelu") ? gelu(y) : relu(y);
  return l.dropout2(l.linear2(l.dropout(y)));
}

}  // namespace

TransformerEncoderLayer::TransformerEncoderLayer(int64_t d_model, int64_t nhead,
                                                 TransformerEncoderLayerOptions o)
    : options(o),
      self_attn(d_model, nhead, {.dropout = o.dropout, .bias = o.bias, .batch_first = o.batch_first}),
      linear1(d_model, o.dim_feedforward, {.bias = o.bias}),
      dropout(o.dropout),
      linear2(o.dim_feedforward, d_model, {.bias = o.bias}),
      norm1(d_model, {.eps = o.layer_norm_eps, .bias = o.bias}),
      norm2(d_model, {.eps = o.layer_norm_eps, .bias = o.bias}),
      dropout1(o.dropout),
      dropout2(o.dropout) {
  std::string_view f = o.activation;
  require<ValueError>(f == "relu" || f == "gelu",
                      "TransformerEncoderLayer: activation is 'relu' or 'gelu', got '", f, "'");
}

Tensor TransformerEncoderLayer::forward(const Tensor& src, const Encode& how) const {
  if (options.norm_first) {
    Tensor x = src + attended(*this, norm1(src), how);
    return x + fed_forward(*this, norm2(x));
  }
  Tensor x = norm1(src + attended(*this, src, how));
  return norm2(x + fed_forward(*this, x));
}

TransformerEncoder::TransformerEncoder(const TransformerEncoderLayer& encoder_layer, int64_t num_layers,
                                       std::optional<LayerNorm> norm)
    : layers(static_cast<size_t>(
                 (detail::check_setting("TransformerEncoder", "num_layers", num_layers, 1), num_layers)),
             encoder_layer),
      norm(std::move(norm)) {}

Tensor TransformerEncoder::forward(const Tensor& src, const Encode& how) const {
  Tensor x = src;
  for (const TransformerEncoderLayer& layer : layers) x = layer(x, how);
  return norm ? (*norm)(x) : x;
}

Tensor generate_square_subsequent_mask(int64_t size, DType dtype) {
  return full({size, size}, -std::numeric_limits<double>::infinity(), {.dtype = dtype}).triu(1);
}

template const ModuleType& detail::type_of<TransformerEncoderLayer>();
template const ModuleType& detail::type_of<TransformerEncoder>();

}  // namespace espalier::nn
