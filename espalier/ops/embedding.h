#pragma once

#include <optional>

#include <espalier/autograd/tensor.h>

namespace espalier {

struct EmbeddingOptions {
  std::optional<int64_t> padding_idx = std::nullopt;  // this row gets no gradient; it may count from the end
};
// The rows of `weight` [rows, size] at the indices (int64 or int32, any shape): their shape, then size. An
// index outside of 0 … rows - 1 is an IndexError. Gradients of a row that is taken more than once add up in
// the order of the indices. padding_idx keeps a gradient from its row, not an optimizer's weight decay.
Tensor embedding(const Tensor& indices, const Tensor& weight, const EmbeddingOptions& options = {});

}  // namespace espalier
