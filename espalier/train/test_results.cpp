#include <espalier/train/test_results.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <numeric>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/random.h>
#include <espalier/data/loader.h>
#include <espalier/ops/softmax.h>
#include <espalier/trace/record_file.h>
#include <espalier/trace/tracer.h>

namespace espalier::train {
namespace {

constexpr int64_t kMistakes = 24, kTraced = 6, kTracedMistakes = 2;
constexpr int64_t kLargestSide = 96;       // of a picture
constexpr int64_t kValueBytes = 48 << 20;  // of a traced batch

// The likeliest classes of one image; what is no number counts as 0.
void add_one(trace::Predictions& p, std::vector<float> probability, int64_t label) {
  for (float& x : probability) {
    if (!std::isfinite(x)) x = 0;
  }
  std::vector<int32_t> order(probability.size());
  std::iota(order.begin(), order.end(), 0);
  std::partial_sort(order.begin(), order.begin() + p.kept, order.end(), [&](int32_t a, int32_t b) {
    return probability[a] != probability[b] ? probability[a] > probability[b] : a < b;
  });
  p.label.push_back(static_cast<int32_t>(label));
  p.right.push_back(probability.at(label));
  for (int64_t k = 0; k < p.kept; ++k) {
    p.top.push_back(order[k]);
    p.probability.push_back(probability[order[k]]);
  }
}

// The first image of each class that the model knows, classes of those chosen already left out.
std::vector<int64_t> known_ones(const trace::Predictions& p, const std::vector<int64_t>& chosen) {
  std::vector<bool> seen(static_cast<size_t>(p.classes));
  for (int64_t i : chosen) seen[p.label[i]] = true;
  std::vector<int64_t> out;
  for (int64_t i = 0; i < p.size(); ++i) {
    if (p.wrong(i) || seen[p.label[i]]) continue;
    seen[p.label[i]] = true;
    out.push_back(i);
  }
  return out;
}

void add_new(std::vector<int64_t>& list, int64_t value) {
  if (std::ranges::find(list, value) == list.end()) list.push_back(value);
}

// Pixels from 0 to 255, whatever the data set holds.
Array picture(const Array& image) {
  Generator unused;
  Array out = image;
  if (image.dtype != uint8) {
    Tensor x = Tensor(image).to(float32).contiguous();
    auto values = x.to_vector<float>();
    auto [low, high] = std::ranges::minmax(values);
    float scale = high > low ? 255 / (high - low) : 0;
    out = Array::empty(image.shape, uint8);
    for (size_t i = 0; i < values.size(); ++i)
      out.data<uint8_t>()[i] = static_cast<uint8_t>(std::lround((values[i] - low) * scale));
  }
  int64_t h = out.shape[1], w = out.shape[2], side = std::max(h, w);
  if (side <= kLargestSide) return out;
  return data::Resize{std::max<int64_t>(1, h * kLargestSide / side),
                      std::max<int64_t>(1, w * kLargestSide / side)}(out, unused);
}

// Images [n, C, H, W] of `data` in the order of `index`.
template <class F>
Array stack(const std::vector<int64_t>& index, F&& image) {
  Array out;
  for (size_t k = 0; k < index.size(); ++k) {
    Array one = Tensor(image(index[k])).contiguous().array();
    if (k == 0) {
      Shape shape = one.shape;
      shape.insert(0, static_cast<int64_t>(index.size()));
      out = Array::empty(shape, one.dtype);
    }
    auto bytes = static_cast<size_t>(one.bytes());
    std::copy_n(static_cast<const char*>(one.data()), bytes, static_cast<char*>(out.data()) + k * bytes);
  }
  return out;
}

}  // namespace

void add(trace::Predictions& p, const Tensor& scores, const Tensor& labels) {
  NoGrad no_grad;
  if (p.classes == 0) p.classes = scores.size(1), p.kept = std::min(p.classes, trace::Predictions::kMost);
  auto probabilities = scores.softmax(1).to_vector<float>();
  auto label = labels.to_vector<int64_t>();
  for (size_t i = 0; i < label.size(); ++i) {
    auto row = probabilities.begin() + static_cast<int64_t>(i) * p.classes;
    add_one(p, {row, row + p.classes}, label[i]);
  }
}

trace::Pictures choose_pictures(const trace::Predictions& p, const data::ImageDataset& data) {
  trace::Pictures out;
  bool can_be_shown = data.images.shape[1] == 1 || data.images.shape[1] == 3;
  if (p.size() == 0 || !can_be_shown) return out;
  auto mistakes = trace::confident_mistakes(p, kMistakes);
  out.traced = {0};
  for (int64_t i = 0; i < std::min<int64_t>(kTracedMistakes, std::ssize(mistakes)); ++i)
    add_new(out.traced, mistakes[i]);
  for (int64_t i : known_ones(p, out.traced)) {
    if (std::ssize(out.traced) < kTraced) out.traced.push_back(i);
  }
  out.index = mistakes;
  for (int64_t i : out.traced) add_new(out.index, i);
  std::ranges::sort(out.index);
  out.images = stack(out.index, [&](int64_t i) { return picture(data.image(i)); });
  return out;
}

trace::Record trace_pictures(nn::ModuleRef model, const Callable<Tensor(const Tensor&)>& forward,
                             const data::ImageDataset& data, const std::vector<data::Transform>& transform,
                             const trace::Pictures& pictures) {
  data::ImageDataset chosen{.images = stack(pictures.traced, [&](int64_t i) { return data.image(i); }),
                            .labels = {},
                            .classes = data.classes,
                            .name = {},
                            .notes = {}};
  for (int64_t i : pictures.traced) chosen.labels.push_back(data.labels[i]);
  data::DataLoader loader(chosen,
                          {.batch_size = std::ssize(pictures.traced), .workers = 0, .transform = transform});
  Generator before = default_generator();  // a loader draws from it
  Tensor x = loader.begin()->x;
  default_generator() = before;

  trace::Tracer tracer({.values = "*", .value_bytes = kValueBytes});
  for (const auto& [name, p] : model.named_parameters()) tracer.name(p, name);
  for (const auto& [name, b] : model.named_buffers()) tracer.name(b, name);
  NoGrad no_grad;
  model.train(false);
  RecorderScope scope(&tracer);
  forward(x);
  return tracer.take();
}

void keep_results(const Run& run, const trace::Predictions& predictions, const data::ImageDataset& data) {
  if (predictions.size() == 0) return;
  trace::write_predictions(run.file("predictions.safetensors"), predictions);
  trace::Pictures pictures = choose_pictures(predictions, data);
  if (!pictures.index.empty()) trace::write_pictures(run.file("pictures.safetensors"), pictures);
}

void keep_samples(const Run& run, nn::ModuleRef model, const Callable<Tensor(const Tensor&)>& forward,
                  const data::ImageDataset& data, const std::vector<data::Transform>& transform) {
  std::string chosen = run.file("pictures.safetensors");
  if (!std::filesystem::exists(chosen)) return;
  trace::Record record = trace_pictures(model, forward, data, transform, trace::read_pictures(chosen));
  trace::write_record(run.file("samples.json"), record);
}

}  // namespace espalier::train
