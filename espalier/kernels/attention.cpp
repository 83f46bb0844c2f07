#include <espalier/kernels/attention.h>

#include <atomic>

namespace espalier::kernels {
namespace {

std::atomic<bool> enabled{true};

Heads heads(const Array& a) { return {a.data(), a.strides[0], a.strides[1], a.strides[2]}; }

AttentionJob job_of(const AttentionInputs& in, const Array& y, const Array& log_sum) {
  const Shape &q = in.query.shape, &v = in.value.shape;
  AttentionJob job{.dtype = in.query.dtype,
                   .batch = q[0],
                   .heads = q[1],
                   .queries = q[2],
                   .keys = v[2],
                   .features = q[3],
                   .value_features = v[3],
                   .scale = in.scale,
                   .causal = in.causal,
                   .query = heads(in.query),
                   .key = heads(in.key),
                   .value = heads(in.value),
                   .y = heads(y),
                   .log_sum = log_sum.data()};
  if (in.mask) job.mask = heads(*in.mask), job.mask_step = in.mask->strides[3];
  return job;
}

}  // namespace

void set_fused_attention(bool on) { enabled.store(on, std::memory_order_relaxed); }
bool fused_attention() { return enabled.load(std::memory_order_relaxed); }

void attention(Array& y, Array& log_sum, const AttentionInputs& in) {
  if (nothing_to_do(y)) return;
  attention_heads(job_of(in, y, log_sum));
}

void attention_backward(Array& g_query, Array& g_key, Array& g_value, const Array& g, const Array& y,
                        const Array& log_sum, const AttentionInputs& in) {
  if (nothing_to_do(g)) return;
  AttentionJob job = job_of(in, y, log_sum);
  job.g = heads(g), job.g_query = heads(g_query), job.g_key = heads(g_key), job.g_value = heads(g_value);
  attention_heads_backward(job);
}

}  // namespace espalier::kernels
