#pragma once

#include <espalier/nn/module.h>
#include <espalier/ops/embedding.h>

namespace espalier::nn {

// Rows of a table: integers [*] to [*, embedding_dim]. The row padding_idx starts as zeros and gets no
// gradient.
struct Embedding : Module<Embedding> {
  Embedding(int64_t num_embeddings, int64_t embedding_dim, EmbeddingOptions options = {});

  Tensor forward(const Tensor& indices) const;
  void reset_parameters();
  std::string extra_repr() const;

  int64_t num_embeddings, embedding_dim;
  std::optional<int64_t> padding_idx;
  Parameter weight;  // [num_embeddings, embedding_dim]
  ESPALIER_FIELDS(Embedding, num_embeddings, embedding_dim, padding_idx, weight)
};

extern template const ModuleType& detail::type_of<Embedding>();

}  // namespace espalier::nn
