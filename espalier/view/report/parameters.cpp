#include <algorithm>
#include <cmath>

#include <espalier/autograd/tensor.h>
#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/picture.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

constexpr int64_t kMostFilters = 64;  // that are shown as pictures
constexpr size_t kMostOpen = 6;       // tensors whose large histograms are shown from the beginning

std::string percent(double share) { return text::fixed(100 * share, share < 0.1 ? 1 : 0) + " %"; }

std::string in_words(const ParameterStory& p) {
  return concat("Values of ", p.name, " from ", number(p.now.min), " to ", number(p.now.max), ", mean ",
                number(p.now.mean));
}

std::vector<Html> cells(const ParameterStory& p) {
  Html name = tag("span", {{"class", "code"}}, p.name);
  if (p.now.not_finite > 0)
    name += tag("span", {{"class", "under bad"}}, text::grouped(p.now.not_finite), " values are not finite");
  return {name,
          tag("span", {{"class", "shape"}}, to_string(p.shape)),
          text::grouped(p.shape.numel()),
          small_histogram(p.now, in_words(p)),
          number(p.now.mean),
          number(p.now.std),
          number(p.now.min),
          number(p.now.max),
          percent(p.now.zeros),
          p.initial ? number(p.initial->std) : "–",
          p.change ? percent(*p.change) : "–"};
}

Html statistics(const RunData& run) {
  std::vector<std::vector<Html>> rows;
  for (const ParameterStory& p : run.parameters) rows.push_back(cells(p));
  return table(
      {"Parameter", "Shape", "Values", "Distribution", "Mean", "Spread", "Min", "Max", "Zeros",
       "Spread at first", "Change"},
      rows,
      {.caption = "Every parameter tensor, after the last epoch", .numbers = {2, 4, 5, 6, 7, 8, 9, 10}});
}

// Of a filter [channels, height, width], contiguous: in colour where it sees red, green and blue, else its
// channels side by side.
Picture filter_picture(const float* values, const Shape& shape, double most) {
  int64_t channels = shape[1], height = shape[2], width = shape[3], plane = height * width;
  if (channels != 3) return diverging(values, height, width, most);
  Picture out{width, height, {}};
  for (int64_t i = 0; i < plane; ++i) {
    for (int64_t c = 0; c < 3; ++c) {
      double v = most > 0 ? 127.5 + 127.5 * values[c * plane + i] / most : 127.5;
      out.rgb.push_back(static_cast<uint8_t>(std::clamp(std::lround(v), 0L, 255L)));
    }
  }
  return out;
}

Html filters(const Array& kernels, const std::string& when) {
  Array a = Tensor(kernels).to(float32).contiguous().array();
  const float* values = a.data<float>();
  int64_t size = a.shape[1] * a.shape[2] * a.shape[3];
  double most = 0;
  for (int64_t i = 0; i < a.numel(); ++i)
    most = std::max(most, std::isfinite(values[i]) ? std::abs(static_cast<double>(values[i])) : 0);
  Html out;
  for (int64_t f = 0; f < std::min(a.shape[0], kMostFilters); ++f) {
    double sum = 0;
    for (int64_t i = 0; i < size; ++i)
      sum += static_cast<double>(values[f * size + i]) * values[f * size + i];
    out += tag("li", {},
               image(filter_picture(values + f * size, a.shape, most),
                     concat("Filter ", f + 1, when, ", length ", number(std::sqrt(sum)))));
  }
  return tag("ul", {{"class", "filters"}}, out);
}

Html kernels(const RunData& run) {
  if (!run.kernels) return {};
  const Shape& s = run.kernels->shape;
  Html out = tag("h3", {}, "Filters of the first convolution");
  out += tag("p", {}, s[0], " filters of ", s[2], "×", s[3], " over ", s[1], " channels. ",
             s[1] == 3 ? "Red, green and blue are the weights of the three channels; grey is 0."
                       : "Blue is below 0, orange above; of several channels the first is shown.",
             s[0] > kMostFilters ? concat(" The first ", kMostFilters, " are shown.") : "");
  out += tag("h4", {}, "After the training");
  out += filters(*run.kernels, " after the training");
  if (!run.initial_kernels) return out;
  out += tag("h4", {}, "Before");
  return out += filters(*run.initial_kernels, " before the training");
}

Html distributions(const RunData& run) {
  Html out;
  for (size_t i = 0; i < run.parameters.size(); ++i) {
    const ParameterStory& p = run.parameters[i];
    if (p.now.max <= p.now.min) continue;
    Html chart =
        histogram({.id = concat("histogram-", i), .title = p.name, .now = p.now, .before = p.initial});
    out += run.parameters.size() <= kMostOpen
               ? chart
               : tag("details", {}, tag("summary", {{"class", "code"}}, p.name), chart);
  }
  return tag("h3", {}, "Distributions") += tag("div", {{"class", "charts"}}, out);
}

std::string finding(const RunData& run) {
  const ParameterStory *most = nullptr, *least = nullptr;
  for (const ParameterStory& p : run.parameters) {
    if (!p.change) continue;
    if (!most || *p.change > *most->change) most = &p;
    if (!least || *p.change < *least->change) least = &p;
  }
  if (!most) return "What the parameters were before the training was not kept.";
  if (most == least) return concat(most->name, " changed by ", percent(*most->change), " of its length.");
  return concat("The training changed ", most->name, " the most, by ", percent(*most->change),
                " of its length, and ", least->name, " the least, by ", percent(*least->change), ".");
}

}  // namespace

Html parameters_view(const RunData& run) {
  if (run.parameters.empty()) return nothing_kept("The run has no weights yet.");
  Html out = tag("p", {{"class", "finding"}}, finding(run));
  out += tag("p", {},
             "Spread is the standard deviation. Change is the distance from the initial values, as a share "
             "of their length.");
  out += statistics(run);
  out += kernels(run);
  return out += distributions(run);
}

}  // namespace espalier::view
