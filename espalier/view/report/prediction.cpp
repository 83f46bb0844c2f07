#include <espalier/view/prediction.h>

#include <algorithm>

#include <espalier/core/table.h>
#include <espalier/view/pictures.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

constexpr int64_t kManyStages = 12, kFewImages = 2;

std::string percent(double share) { return text::fixed(100 * share, 1) + "\u00a0%"; }

struct Known {
  int64_t number = 0;  // in the validation data
  std::string is, taken;
  double confidence = 0;
};

Known known(const RunData& run, int64_t position) {
  Known k{.number = run.pictures.traced[position], .is = {}, .taken = {}};
  if (run.predictions && k.number < run.predictions->size())
    k.is = class_name(run, run.predictions->label[k.number]);
  auto p = probabilities(run.samples, position);
  if (!p.empty()) {
    auto best = std::ranges::max_element(p);
    k.taken = class_name(run, best - p.begin());
    k.confidence = *best;
  }
  return k;
}

std::string in_words(const Known& k) {
  if (k.taken.empty()) return concat("Image ", k.number);
  if (k.is == k.taken) return concat("Image ", k.number, ": ", k.is, ", known with ", percent(k.confidence));
  return concat("Image ", k.number, ": ", k.is, ", taken for ", k.taken, " with ", percent(k.confidence));
}

}  // namespace

Html prediction_view(const RunData& run) {
  auto images = std::ssize(run.pictures.traced);
  if (run.samples.calls.empty() || images == 0)
    return nothing_kept(
        "This run kept no images on their way through the model: it had no validation data, or has not "
        "ended.");
  auto stages = trace::stages(run.samples);
  if (std::ssize(stages) > kManyStages) images = std::min(images, kFewImages);
  MapsBudget budget = budget_for(run.samples, images);
  Arithmetic arithmetic(run.samples, images, budget);
  Html out =
      tag("p", {{"class", "lead"}},
          "Images of the validation data, layer by layer. Values in the page are rounded to a 65,534th of a "
          "layer's range.");
  Html list, samples;
  for (int64_t i = 0; i < images; ++i) {
    Known k = known(run, i);
    Sample sample{.image = i, .prefix = concat("sample-", i, "-")};
    if (run.predictions && k.number < run.predictions->size())
      sample.label = run.predictions->label[k.number];
    std::string id = concat("sample-", i);
    int64_t at = run.pictures.find(k.number);
    Html picture = at >= 0 ? picture_of(run.pictures.images, at, "") : Html();
    list += tag("li", {}, tag("a", {{"href", "#" + id}}, picture, tag("span", {}, in_words(k))));
    samples +=
        tag("article", {{"class", "followed"}, {"id", id}, {"tabindex", -1}}, tag("h3", {}, in_words(k)),
            at >= 0 ? picture_of(run.pictures.images, at, concat("Image ", k.number)) : Html(),
            prediction(run.samples, sample, run.settings.classes, arithmetic, "", budget));
  }
  out += tag("ul", {{"class", "gallery"}, {"id", "sample-list"}, {"aria-label", "Images"}}, list);
  out += arithmetic.kernels("");
  out += samples;
  return out;
}

}  // namespace espalier::view
