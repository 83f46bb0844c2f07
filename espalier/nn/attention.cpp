#include <espalier/nn/attention.h>

#include <limits>

#include <espalier/nn/checks.h>
#include <espalier/nn/init.h>
#include <espalier/ops/attention.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/select.h>
#include <espalier/ops/view.h>

namespace espalier::nn {
namespace {

struct Projected {
  Tensor q, k, v;
};

// Rows from … to of a bias that may be absent.
Tensor rows(const Tensor& t, int64_t from, int64_t to) { return t.defined() ? t.slice(0, from, to) : t; }

// One product for what is projected from the same tensor.
Projected project(const MultiheadAttention& m, const Tensor& query, const Tensor& key, const Tensor& value) {
  int64_t e = m.embed_dim;
  const Tensor &w = m.in_proj_weight, &b = m.in_proj_bias;
  if (!w.defined()) {
    return {linear(query, m.q_proj_weight, rows(b, 0, e)), linear(key, m.k_proj_weight, rows(b, e, 2 * e)),
            linear(value, m.v_proj_weight, rows(b, 2 * e, 3 * e))};
  }
  if (query.is_same(key) && key.is_same(value)) {
    auto all = linear(query, w, b).chunk(3, -1);
    return {all[0], all[1], all[2]};
  }
  Tensor q = linear(query, rows(w, 0, e), rows(b, 0, e));
  if (key.is_same(value)) {
    auto both = linear(key, rows(w, e, 3 * e), rows(b, e, 3 * e)).chunk(2, -1);
    return {q, both[0], both[1]};
  }
  return {q, linear(key, rows(w, e, 2 * e), rows(b, e, 2 * e)),
          linear(value, rows(w, 2 * e, 3 * e), rows(b, 2 * e, 3 * e))};
}

// [N, L, E], from what the caller has.
Tensor batch_first(const Tensor& x, bool is_batch_first) {
  if (x.dim() == 2) return x.unsqueeze(0);
  return is_batch_first ? x : x.transpose(0, 1);
}

int64_t length_of(const Tensor& x, bool is_batch_first) {
  return x.size(x.dim() == 3 && is_batch_first ? 1 : 0);
}

// With the keys and values that the module adds itself, as [N, H, L, E / H].
Projected by_heads(const MultiheadAttention& m, const Projected& p) {
  auto add_key = [](Tensor& x, const Tensor& one) {
    x = cat({x, one.to(x.dtype()).expand({x.size(0), 1, x.size(2)})}, 1);
  };
  auto by_head = [&](const Tensor& x) { return x.unflatten(-1, {m.num_heads, -1}).transpose(1, 2); };
  bool first = m.options.batch_first;
  Tensor q = batch_first(p.q, first), k = batch_first(p.k, first), v = batch_first(p.v, first);
  if (m.bias_k.defined()) add_key(k, m.bias_k), add_key(v, m.bias_v);
  Tensor none = zeros({1, 1, m.embed_dim}, {.dtype = k.dtype()});
  if (m.options.add_zero_attn) add_key(k, none), add_key(v, none);
  return {by_head(q), by_head(k), by_head(v)};
}

// [N, H, L, E / H] as [N, L, E].
Tensor joined(const Tensor& x) { return x.transpose(1, 2).flatten(2); }

// A mask as numbers to be added: -infinity for true.
Tensor to_add(const Tensor& mask, DType dtype) {
  if (mask.dtype() != DType::boolean) return mask.to(dtype);
  return where(mask, Scalar(-std::numeric_limits<double>::infinity()), Scalar(0.0)).to(dtype);
}

Tensor merged(const Tensor& a, const Tensor& b) { return !a.defined() ? b : b.defined() ? a + b : a; }

// Both masks in one that broadcasts to [N, H, L, S], with zeros for the keys that the module itself adds.
Tensor merged_mask(const MultiheadAttention& m, const Attend& how, int64_t n, int64_t queries, int64_t keys,
                   DType dtype) {
  Tensor mask, padding;
  if (how.attn_mask.defined()) {
    const Shape& s = how.attn_mask.shape();
    Shape one{queries, keys}, each{n * m.num_heads, queries, keys};
    require<ShapeError>(s == one || s == each, "expected an attn_mask ", one, " or ", each, ", got ", s);
    mask = to_add(how.attn_mask, dtype);
    if (s == each) mask = mask.reshape({n, m.num_heads, queries, keys});
  }
  if (how.key_padding_mask.defined()) {
    padding = how.key_padding_mask.dim() == 1 ? how.key_padding_mask.unsqueeze(0) : how.key_padding_mask;
    require<ShapeError>(padding.shape() == Shape({n, keys}), "expected a key_padding_mask ", Shape{n, keys},
                        ", got ", how.key_padding_mask.shape());
    padding = to_add(padding, dtype).reshape({n, 1, 1, keys});
  }
  Tensor both = merged(mask, padding);
  int64_t added = m.bias_k.defined() + m.options.add_zero_attn;
  return both.defined() && added > 0 ? pad(both, {0, added}) : both;
}

void check_inputs(const MultiheadAttention& m, const Tensor& query, const Tensor& key, const Tensor& value) {
  detail::check_rank(query, 2, 3);
  detail::check_size(query, -1, m.embed_dim, "features of the query");
  require<ShapeError>(key.dim() == query.dim() && value.dim() == query.dim(),
                      "expected query, key and value of as many dimensions, got ", query.shape(), ", ",
                      key.shape(), " and ", value.shape());
  detail::check_size(key, -1, m.options.kdim.value_or(m.embed_dim), "features of the key");
  detail::check_size(value, -1, m.options.vdim.value_or(m.embed_dim), "features of the value");
  bool same_steps = key.size(0) == value.size(0) && (key.dim() == 2 || key.size(1) == value.size(1));
  int batch = m.options.batch_first ? 0 : 1;
  bool same_batch = query.dim() == 2 || query.size(batch) == key.size(batch);
  require<ShapeError>(same_steps && same_batch,
                      "expected one key for each value and as many in the batch, got ", "the query ",
                      query.shape(), ", the key ", key.shape(), " and the value ", value.shape());
}

}  // namespace

MultiheadAttention::MultiheadAttention(int64_t embed_dim, int64_t num_heads,
                                       MultiheadAttentionOptions options)
    : embed_dim(embed_dim),
      num_heads(num_heads),
      options(options),
      out_proj(embed_dim, embed_dim, {.bias = options.bias}) {
  detail::check_setting("MultiheadAttention", "embed_dim", embed_dim, 1);
  detail::check_setting("MultiheadAttention", "num_heads", num_heads, 1);
  require<ValueError>(embed_dim % num_heads == 0, "MultiheadAttention: embed_dim ", embed_dim,
                      " can't be divided into ", num_heads, " heads");
  double p = options.dropout;
  require<ValueError>(0 <= p && p <= 1, "MultiheadAttention: dropout is ", p, ", it must be in [0, 1]");
  int64_t kdim = options.kdim.value_or(embed_dim), vdim = options.vdim.value_or(embed_dim);
  if (kdim == embed_dim && vdim == embed_dim) {
    in_proj_weight = empty({checked_mul(3, embed_dim, "MultiheadAttention"), embed_dim});
  } else {
    q_proj_weight = empty({embed_dim, embed_dim});
    k_proj_weight = empty({embed_dim, kdim});
    v_proj_weight = empty({embed_dim, vdim});
  }
  if (options.bias) in_proj_bias = empty({3 * embed_dim});
  if (options.add_bias_kv) bias_k = empty({1, 1, embed_dim}), bias_v = empty({1, 1, embed_dim});
  reset_parameters();
}

// out_proj has drawn its own, before these as in PyTorch.
void MultiheadAttention::reset_parameters() {
  for (Parameter* w : {&in_proj_weight, &q_proj_weight, &k_proj_weight, &v_proj_weight}) {
    if (w->defined()) init::xavier_uniform_(*w);
  }
  for (Parameter* b : {&in_proj_bias, &out_proj.bias}) {
    if (b->defined()) init::zeros_(*b);
  }
  for (Parameter* b : {&bias_k, &bias_v}) {
    if (b->defined()) init::xavier_normal_(*b);
  }
}

std::pair<Tensor, Tensor> MultiheadAttention::forward(const Tensor& query, const Tensor& key,
                                                      const Tensor& value, const Attend& how) const {
  check_inputs(*this, query, key, value);
  require<ValueError>(!how.is_causal || how.attn_mask.defined(),
                      "is_causal is a promise about attn_mask: pass the mask too");
  bool first = options.batch_first, adds_keys = bias_k.defined() || options.add_zero_attn;
  int64_t n = query.dim() == 2 ? 1 : query.size(first ? 0 : 1);
  int64_t length = length_of(query, first), keys = length_of(key, first);
  bool causal = how.is_causal && !how.need_weights && !how.key_padding_mask.defined();
  AttentionOptions o{.attn_mask = causal ? Tensor() : merged_mask(*this, how, n, length, keys, query.dtype()),
                     .dropout_p = training ? options.dropout : 0,
                     .is_causal = causal};
  bool to_itself = query.is_same(key) && key.is_same(value) && in_proj_weight.defined();
  Tensor y, weights;
  if (to_itself && !how.need_weights && !adds_keys) {
    y = self_attention(batch_first(linear(query, in_proj_weight, in_proj_bias), first), num_heads, o);
  } else {
    auto [q, k, v] = by_heads(*this, project(*this, query, key, value));
    if (o.attn_mask.defined()) o.attn_mask = o.attn_mask.to(q.dtype());  // Autocast may have changed it
    if (how.need_weights) weights = attention_weights(q, k, o);
    y = joined(how.need_weights ? matmul(weights, v) : scaled_dot_product_attention(q, k, v, o));
    if (how.need_weights && how.average_attn_weights) weights = weights.mean(1);
  }
  y = query.dim() == 2 ? y.squeeze(0) : first ? y : y.transpose(0, 1);
  if (query.dim() == 2 && weights.defined()) weights = weights.squeeze(0);
  return {out_proj(y), weights};
}

template const ModuleType& detail::type_of<MultiheadAttention>();

}  // namespace espalier::nn
