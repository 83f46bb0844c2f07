#pragma once

#include <espalier/ops/attention.h>

// Attention as one operation, of inputs that attention.cpp has checked.
namespace espalier::detail {

bool can_fuse_attention(const Tensor& query, const AttentionOptions& options);

// What the composed operations give.
Tensor composed_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                          const AttentionOptions& options);
Tensor composed_self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options);

Tensor fused_attention(const Tensor& query, const Tensor& key, const Tensor& value,
                       const AttentionOptions& options);
Tensor fused_self_attention(const Tensor& qkv, int64_t heads, const AttentionOptions& options);

}  // namespace espalier::detail
