#include <espalier/ops/attention.h>

#include <cmath>
#include <limits>

#include <espalier/autograd/autocast.h>
#include <espalier/autograd/recorder.h>
#include <espalier/ops/attention_fused.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/dropout.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/matmul.h>
#include <espalier/ops/select.h>
#include <espalier/ops/view.h>

namespace espalier {
namespace {

constexpr const char* kOp = "scaled_dot_product_attention";

Shape leading(const Tensor& x) { return Shape(std::span(x.shape()).first(x.shape().size() - 2)); }

Shape scores_shape(const Tensor& q, const Tensor& k) {
  Shape shape = q.shape();
  shape[shape.rank() - 1] = k.size(-2);
  return shape;
}

void check_queries(const Tensor& q, const Tensor& k, const AttentionOptions& o) {
  detail::check_floating(kOp, q);
  require<DTypeError>(q.dtype() == k.dtype(), kOp, ": the dtypes differ, ", q.dtype(), " and ", k.dtype());
  require<ShapeError>(
      q.dim() >= 2 && q.dim() == k.dim() && leading(q) == leading(k) && q.size(-1) == k.size(-1), kOp,
      ": the query must be [..., L, E] and the key [..., S, E], got ", q.shape(), " and ", k.shape());
  const Tensor& mask = o.attn_mask;
  if (!mask.defined()) return;
  require<ValueError>(!o.is_causal, kOp, ": is_causal goes with no other mask");
  require<DTypeError>(mask.dtype() == DType::boolean || mask.dtype() == q.dtype(), kOp,
                      ": the mask must be bool or ", q.dtype(), ", got ", mask.dtype());
  Shape scores = scores_shape(q, k);
  require<ShapeError>(broadcast_shapes(kOp, mask.shape(), scores) == scores, kOp, ": the mask ", mask.shape(),
                      " does not broadcast to the scores ", scores);
}

Tensor causal_mask(int64_t queries, int64_t keys) {
  return ones({queries, keys}, {.dtype = DType::boolean}).tril();
}

// Scores with -infinity where they do not count.
Tensor masked(const Tensor& scores, const AttentionOptions& o) {
  constexpr double kNever = -std::numeric_limits<double>::infinity();
  Tensor mask = o.is_causal ? causal_mask(scores.size(-2), scores.size(-1)) : o.attn_mask;
  if (!mask.defined()) return scores;
  return mask.dtype() == DType::boolean ? where(mask, scores, Scalar(kNever)) : scores + mask;
}

// softmax over the last dimension; zeros for a row of -infinity.
Tensor safe_softmax(const Tensor& scores) {
  Tensor empty_row = scores.detach().amax(-1, true).eq(-std::numeric_limits<double>::infinity());
  return scores.masked_fill(empty_row, 0).softmax(-1).masked_fill(empty_row, 0);
}

}  // namespace

Tensor attention_weights(const Tensor& q, const Tensor& k, const AttentionOptions& o) {
  check_queries(q, k, o);
  double scale = o.scale.value_or(1 / std::sqrt(static_cast<double>(q.size(-1))));
  Tensor scores = masked(matmul(q * scale, k.transpose(-2, -1)), o);
  Tensor weights = o.attn_mask.defined() ? safe_softmax(scores) : scores.softmax(-1);
  return dropout(weights, o.dropout_p);
}

Tensor detail::composed_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                  const AttentionOptions& o) {
  return matmul(attention_weights(q, k, o), v);
}

Tensor detail::composed_self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& o) {
  auto by_head = [&](const Tensor& x) { return x.unflatten(-1, {heads, -1}).transpose(1, 2); };
  auto parts = qkv.chunk(3, -1);
  Tensor y = composed_attention(by_head(parts[0]), by_head(parts[1]), by_head(parts[2]), o);
  return y.transpose(1, 2).flatten(2);
}

Tensor scaled_dot_product_attention(const Tensor& q, const Tensor& k, const Tensor& v,
                                    const AttentionOptions& o) {
  if (detail::Casts to(kOp, {q, k, v, o.attn_mask}); to) {
    AttentionOptions lower = o;
    lower.attn_mask = to(o.attn_mask);
    return scaled_dot_product_attention(to(q), to(k), to(v), lower);
  }
  check_queries(q, k, o);
  require<ShapeError>(v.dim() == k.dim() && leading(v) == leading(k) && v.size(-2) == k.size(-2), kOp,
                      ": the value must be [..., S, D] for the key ", k.shape(), ", got ", v.shape());
  require<DTypeError>(v.dtype() == q.dtype(), kOp, ": the dtypes differ, ", q.dtype(), " and ", v.dtype());
  bool fuse = detail::can_fuse_attention(q, o) && q.numel() > 0 && k.numel() > 0 && v.numel() > 0;
  return fuse ? detail::fused_attention(q, k, v, o) : detail::composed_attention(q, k, v, o);
}

Tensor self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& o) {
  if (detail::Casts to(kOp, {qkv, o.attn_mask}); to) {
    AttentionOptions lower = o;
    lower.attn_mask = to(o.attn_mask);
    return self_attention(to(qkv), heads, lower);
  }
  require<ShapeError>(qkv.dim() == 3 && heads > 0 && qkv.size(-1) % (3 * heads) == 0,
                      "self_attention: needs [N, L, 3 * E] with E divisible by ", heads, " heads, got ",
                      qkv.shape());
  {
    RecorderScope nobody(nullptr);  // no part of the computation: the shapes are checked
    Tensor q = qkv.detach().narrow(-1, 0, qkv.size(-1) / 3).unflatten(-1, {heads, -1}).transpose(1, 2);
    check_queries(q, q, o);
  }
  bool fuse = detail::can_fuse_attention(qkv, o) && qkv.numel() > 0;
  return fuse ? detail::fused_self_attention(qkv, heads, o) : detail::composed_self_attention(qkv, heads, o);
}

}  // namespace espalier
