#include "dropped.h"

#include <algorithm>
#include <span>

#include <espalier/core/table.h>
#include <espalier/core/threads.h>
#include <espalier/data/image.h>
#include <espalier/models/registry.h>
#include <espalier/train/preparation.h>
#include <espalier/view/pictures.h>
#include <espalier/view/prediction.h>

namespace espalier::cli {
namespace {

constexpr int64_t kMostPixels = 32 << 20;
constexpr int64_t kValueBytes = 64 << 20;

Array batch_of_one(const Array& image) {
  Shape shape = image.shape;
  shape.insert(0, 1);
  return image.view(shape, contiguous_strides(shape), image.offset);
}

}  // namespace

view::Html follow_image(const train::Run& run, const std::string& file) {
  SerialScope one_thread;  // a training may need the others
  const train::Settings& s = run.settings();
  auto model = models::create(s.model, static_cast<int64_t>(s.classes.size()));
  model.ref().load(run.file("weights.safetensors"), {});
  model.ref().train(false);
  Array image =
      train::like_data(data::parse_image(std::as_bytes(std::span(file)), kMostPixels), Shape(s.image));
  Tensor x = train::Preparation::between(Shape(s.image), models::input_shape(s.model)).apply(image);
  auto record = nn::trace(model.ref(), model.run(), x, {.values = "*", .value_bytes = kValueBytes}).record;

  auto budget = view::budget_for(record, 1);
  view::Arithmetic arithmetic(record, 1, budget);
  auto p = view::probabilities(record, 0);
  auto best = std::ranges::max_element(p) - p.begin();
  std::string verdict = p.empty() ? "This image"
                                  : concat("This image: ", s.classes.at(static_cast<size_t>(best)), ", with ",
                                           text::fixed(100 * p[static_cast<size_t>(best)], 1), " %");
  return view::tag(
      "article", {{"class", "followed"}, {"id", "dropped"}, {"tabindex", -1}}, view::tag("h3", {}, verdict),
      view::picture_of(batch_of_one(image), 0, "The image, as the model's data has them"),
      arithmetic.kernels("dropped-"),
      view::prediction(record, {.prefix = "dropped-"}, s.classes, arithmetic, "dropped-", budget));
}

}  // namespace espalier::cli
