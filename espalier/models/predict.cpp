#include <espalier/models/predict.h>

#include <algorithm>
namespace espalier::models {

Prediction predict(const Model& model, const Tensor& x) {
  model.ref().train(false);
  auto [logits, record] = nn::trace(model.ref(), model.run(), x);
  Prediction p{.probabilities = logits.softmax(1).to_vector<double>(), .record = std::move(record)};
  auto best = std::max_element(p.probabilities.begin(), p.probabilities.end());
  p.best = static_cast<size_t>(best - p.probabilities.begin());
  return p;
}

}  // namespace espalier::models
