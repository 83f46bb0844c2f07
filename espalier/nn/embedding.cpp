#include <espalier/nn/checks.h>
#include <espalier/nn/embedding.h>
#include <espalier/nn/init.h>
#include <espalier/ops/creation.h>

namespace espalier::nn {

Embedding::Embedding(int64_t num_embeddings, int64_t embedding_dim, EmbeddingOptions options)
    : num_embeddings(num_embeddings), embedding_dim(embedding_dim), padding_idx(options.padding_idx) {
  detail::check_setting("Embedding", "num_embeddings", num_embeddings, 1);
  detail::check_setting("Embedding", "embedding_dim", embedding_dim, 0);
  if (padding_idx) {
    require<ValueError>(-num_embeddings <= *padding_idx && *padding_idx < num_embeddings,
                        "Embedding: padding_idx ", *padding_idx, " is not one of the ", num_embeddings,
                        " rows");
    if (*padding_idx < 0) *padding_idx += num_embeddings;
  }
  weight = empty({num_embeddings, embedding_dim});
  reset_parameters();
}

void Embedding::reset_parameters() {
  init::normal_(weight);
  if (padding_idx) init::zeros_(weight.detach().select(0, *padding_idx));
}

Tensor Embedding::forward(const Tensor& indices) const {
  return embedding(indices, weight, {.padding_idx = padding_idx});
}

std::string Embedding::extra_repr() const {
  return concat(num_embeddings, ", ", embedding_dim,
                padding_idx ? concat(", padding_idx=", *padding_idx) : "");
}

template const ModuleType& detail::type_of<Embedding>();

}  // namespace espalier::nn
