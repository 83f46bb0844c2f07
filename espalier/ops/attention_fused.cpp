#include <espalier/ops/attention_fused.h>

#include <cmath>
#include <limits>

#include <espalier/autograd/record.h>
#include <espalier/kernels/attention.h>
#include <espalier/kernels/row_major.h>
#include <espalier/ops/recomputed.h>
#include <espalier/ops/select.h>

namespace espalier::detail {
namespace {

// […, L, E] as [N, H, L, E].
Array in_four(Array a) {
  while (a.rank() < 4) a.shape.insert(0, 1), a.strides.insert(0, 0);
  return a;
}

// The same values with features side by side.
Array features_dense(const Array& a) {
  return a.strides[a.rank() - 1] == 1 || a.shape.back() == 1 ? a : kernels::row_major(a);
}

// [N, L, H · E] as [N, H, L, E], the features from `from` on.
Array by_head(const Array& x, int64_t heads, int64_t from, int64_t features) {
  int64_t each = features / heads;
  const Strides& s = x.strides;
  return x.view({x.shape[0], heads, x.shape[1], each}, {s[0], each * s[2], s[1], s[2]},
                x.offset + from * s[2]);
}

// Memory for a [N, L, features], where `like` has the L first with L first.
Array sequence_like(const Array& like, int64_t features) {
  Shape shape{like.shape[0], like.shape[1], features};
  bool steps_first = like.strides[0] < like.strides[1];
  return steps_first ? Array::empty(shape, like.dtype, {features, features * shape[0], 1})
                     : Array::empty(shape, like.dtype);
}

// A mask of numbers that broadcasts to the scores [N, H, L, S].
Array mask_of(const AttentionOptions& o, DType dtype, const Shape& scores) {
  if (!o.attn_mask.defined()) return {};
  Tensor mask = o.attn_mask.detach();
  if (mask.dtype() == DType::boolean) {
    mask = where(mask, Scalar(0.0), Scalar(-std::numeric_limits<double>::infinity())).to(dtype);
  }
  return mask.array().expand("scaled_dot_product_attention", scores);
}

// The kernel's inputs, with the memory that they may need for it.
struct Job {
  kernels::AttentionInputs in;
  Array mask;

  Job(const Array& q, const Array& k, const Array& v, const AttentionOptions& o)
      : in{.query = q, .key = k, .value = v, .scale = scale_of(q, o), .causal = o.is_causal},
        mask(mask_of(o, q.dtype, {q.shape[0], q.shape[1], q.shape[2], k.shape[2]})) {
    if (mask.storage) in.mask = &mask;
  }
  Job(const Job&) = delete;

  static double scale_of(const Array& q, const AttentionOptions& o) {
    return o.scale.value_or(1 / std::sqrt(static_cast<double>(q.shape.back())));
  }
  Array log_sum() const {
    const Shape& q = in.query.shape;
    return Array::empty({q[0], q[1], q[2]}, in.query.dtype);
  }
};

}  // namespace

bool can_fuse_attention(const Tensor& q, const AttentionOptions& o) {
  bool number = q.dtype() == DType::float32 || q.dtype() == DType::float64;
  bool mask_has_gradient = o.attn_mask.defined() && o.attn_mask.requires_grad();
  return kernels::fused_attention() && number && q.dim() <= 4 && o.dropout_p == 0 && !mask_has_gradient;
}

Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                       const AttentionOptions& o) {
  Array q = in_four(features_dense(query.array())), k = in_four(features_dense(key.array()));
  Array v = in_four(features_dense(value.array()));
  Shape shape = query.shape();
  shape[shape.rank() - 1] = value.size(-1);
  Array y = Array::empty(shape, query.dtype()), y4 = in_four(y);
  Job job(q, k, v, o);
  Array log_sum = job.log_sum();
  kernels::attention(y4, log_sum, job.in);
  return record("scaled_dot_product_attention", {query, key, value}, y,
                {{"scale", job.in.scale}, {"is_causal", o.is_causal}},
                [query = saved(query), key = saved(key), value = saved(value), o, log_sum](const Tensor& g,
                                                                                           const Tensor& y) {
                  if (grad_enabled()) {
                    return recomputed({query, key, value}, g, [&](const std::vector<Tensor>& t) {
                      return composed_attention(t[0], t[1], t[2], o);
                    });
                  }
                  Array gq = Array::empty(query->shape(), g.dtype()),
                        gk = Array::empty(key->shape(), g.dtype());
                  Array gv = Array::empty(value->shape(), g.dtype());
                  Array gq4 = in_four(gq), gk4 = in_four(gk), gv4 = in_four(gv);
                  Job job(in_four(features_dense(query->array())), in_four(features_dense(key->array())),
                          in_four(features_dense(value->array())), o);
                  kernels::attention_backward(gq4, gk4, gv4, in_four(features_dense(g.array())),
                                              in_four(y.array()), log_sum, job.in);
                  return grads(Tensor(gq), Tensor(gk), Tensor(gv));
                });
}

Tensor fused_self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& o) {
  int64_t e = qkv.size(-1) / 3;
  auto part = [heads, e](const Array& all, int64_t i) { return by_head(all, heads, i * e, e); };
  Array all = features_dense(qkv.array()), y = sequence_like(all, e), by_heads = by_head(y, heads, 0, e);
  Job job(part(all, 0), part(all, 1), part(all, 2), o);
  Array log_sum = job.log_sum();
  kernels::attention(by_heads, log_sum, job.in);
  return record("self_attention", {qkv}, y,
                {{"heads", heads}, {"scale", job.in.scale}, {"is_causal", o.is_causal}},
                [qkv = saved(qkv), heads, e, part, o, log_sum](const Tensor& g, const Tensor& y) {
                  if (grad_enabled()) {
                    return recomputed({qkv}, g, [&](const std::vector<Tensor>& t) {
                      return composed_self_attention(t[0], heads, o);
                    });
                  }
                  Array all = features_dense(qkv->array()), out = sequence_like(all, 3 * e);
                  Array gq = part(out, 0), gk = part(out, 1), gv = part(out, 2);
                  Job job(part(all, 0), part(all, 1), part(all, 2), o);
                  kernels::attention_backward(gq, gk, gv, by_head(features_dense(g.array()), heads, 0, e),
                                              by_head(y.array(), heads, 0, e), log_sum, job.in);
                  return grads(Tensor(out));
                });
}

}  // namespace espalier::detail

namespace espalier {

void set_fused_attention(bool on) { kernels::set_fused_attention(on); }
bool fused_attention() { return kernels::fused_attention(); }

}  // namespace espalier
