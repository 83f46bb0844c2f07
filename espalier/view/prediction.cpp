#include <espalier/view/prediction.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <espalier/autograd/tensor.h>
#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/chart.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/explain.h>

namespace espalier::view {
namespace {

constexpr int64_t kPixels = 600'000, kMostPixels = 50'000;
constexpr size_t kParts = 8, kClasses = 10;

std::string name_of(const std::vector<std::string>& classes, int64_t c) {
  return c < std::ssize(classes) ? classes[c] : concat("class ", c);
}

std::string percent(double share) { return text::fixed(100 * share, 1) + " %"; }

// A stage's weighted sums [N, F] of rows [N, D].
struct Sums {
  std::vector<float> input, output, weight, bias;
  Shape maps;  // [N, C, H, W] of what the row was before it was flattened; else empty
};

class Writer {
 public:
  Writer(const trace::Record& record, const Sample& sample, const std::vector<std::string>& classes)
      : record_(record), sample_(sample), classes_(classes), stages_(trace::stages(record)) {}

  Html stages(const Arithmetic& arithmetic, const std::string& kernels, const MapsBudget& budget) {
    Html out;
    for (int64_t stage : stages_) {
      const trace::Call& call = record_.calls[stage];
      if (call.inputs.empty() || call.outputs.empty()) continue;
      Html body = tag("p", {{"class", "muted"}},
                      concat(what_happens(record_, stage), ": ", record_.tensors[call.inputs[0]].shape,
                             " to ", record_.tensors[call.outputs[0]].shape, "."));
      body += rectified(stage);
      const Shape& shape = record_.tensors[call.outputs[0]].shape;
      std::string id = concat(sample_.prefix, "stage-", stage);
      if (shape.rank() == 4) {
        body += feature_maps(record_, stage, sample_.image, budget, id,
                             arithmetic.of(kernels, stage, sample_.image));
        maps_ = shape;
      } else if (auto sums = sums_of(stage)) {
        body += largest_parts(*sums, stage == stages_.back());
      }
      out += tag("div", {{"class", "stage"}}, tag("h4", {}, stage_name(call)), body);
    }
    return out;
  }

 private:
  // What became of negative values.
  Html rectified(int64_t stage) const {
    const trace::Call& call = record_.calls[stage];
    if (call.kind != "ReLU" && call.kind != "relu") return {};
    auto before = values_of(record_.tensors[call.inputs[0]], sample_.image);
    if (before.empty()) return {};
    auto negative = std::ranges::count_if(before, [](float v) { return v < 0; });
    return tag("p", {},
               concat(text::grouped(negative), " of ", text::grouped(std::ssize(before)),
                      " values were negative and became 0 (",
                      percent(static_cast<double>(negative) / static_cast<double>(before.size())),
                      "): above are the maps before, here after."));
  }

  std::optional<Sums> sums_of(int64_t stage) const {
    std::vector<int64_t> calls = record_.children(stage);
    calls.push_back(stage);
    for (int64_t number : calls) {
      const trace::Call& c = record_.calls[number];
      if (c.module || c.kind != "linear" || c.inputs.size() < 2 || c.outputs.empty()) continue;
      const auto &weight = record_.tensors[c.inputs[1]], &input = record_.tensors[c.inputs[0]];
      Sums s{values_of(input, sample_.image),
             values_of(record_.tensors[c.outputs[0]], sample_.image),
             {},
             {},
             {}};
      if (s.input.empty() || s.output.empty() || !weight.values || input.shape.rank() != 2) continue;
      s.weight = Tensor(*weight.values).to(float32).to_vector<float>();
      if (c.inputs.size() > 2 && record_.tensors[c.inputs[2]].values)
        s.bias = Tensor(*record_.tensors[c.inputs[2]].values).to(float32).to_vector<float>();
      if (maps_.rank() == 4 && maps_[1] * maps_[2] * maps_[3] == std::ssize(s.input)) s.maps = maps_;
      return s;
    }
    return std::nullopt;
  }

  Html largest_parts(const Sums& s, bool last) const {
    auto best = std::ranges::max_element(s.output) - s.output.begin();
    Html out = parts_of(s, best, last);
    if (last && sample_.label && *sample_.label != best && *sample_.label < std::ssize(s.output))
      out += parts_of(s, *sample_.label, last);
    return out;
  }

  static std::string place(const Sums& s, size_t i) {
    if (s.maps.empty()) return concat("input ", i);
    auto at = static_cast<int64_t>(i);
    return concat("map ", at / (s.maps[2] * s.maps[3]), ", row ", at / s.maps[3] % s.maps[2], ", column ",
                  at % s.maps[3]);
  }

  // How output `to` came about: its largest products, the rest of them, the bias.
  Html parts_of(const Sums& s, int64_t to, bool last) const {
    size_t n = s.input.size();
    const float* w = s.weight.data() + to * std::ssize(s.input);
    std::vector<size_t> order(n);
    std::iota(order.begin(), order.end(), 0);
    auto size = [&](size_t i) { return std::abs(w[i] * s.input[i]); };
    size_t shown = std::min(kParts, n);
    std::partial_sort(order.begin(), order.begin() + static_cast<int64_t>(shown), order.end(),
                      [&](size_t a, size_t b) { return size(a) > size(b); });
    double rest = 0;
    for (size_t k = shown; k < n; ++k) rest += static_cast<double>(w[order[k]]) * s.input[order[k]];
    std::vector<std::vector<Html>> rows;
    for (size_t k = 0; k < shown; ++k) {
      size_t i = order[k];
      rows.push_back({place(s, i), number(s.input[i], 4), number(w[i], 4), number(w[i] * s.input[i], 4)});
    }
    rows.push_back(
        {concat(text::grouped(static_cast<int64_t>(n - shown)), " other products"), "", "", number(rest, 4)});
    if (!s.bias.empty()) rows.push_back({"bias", "", "", number(s.bias[to], 4)});
    std::string result = last ? "score of " + name_of(classes_, to) : concat("output ", to);
    rows.push_back({result, "", "", number(s.output[to], 4)});
    return table({"part", "value", "weight", "product"}, rows,
                 {.caption = concat("How the ", result, " came about: its largest parts"),
                  .numbers = {1, 2, 3},
                  .sum = true});
  }

  const trace::Record& record_;
  const Sample& sample_;
  const std::vector<std::string>& classes_;
  std::vector<int64_t> stages_;
  Shape maps_;  // the last feature maps
};

Html probability_table(const std::vector<double>& p, const std::vector<std::string>& classes,
                       std::optional<int64_t> label) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return p[i]; });
  std::vector<std::vector<Html>> rows;
  for (size_t i : order) {
    bool right = label && *label == static_cast<int64_t>(i);
    if (rows.size() < kClasses || right)
      rows.push_back({concat(name_of(classes, static_cast<int64_t>(i)), right ? " (right)" : ""),
                      percent(p[i]), bar({p[i]})});
  }
  return table({"class", "probability", ""}, rows,
               {.caption = "Class probabilities: softmax of the scores", .numbers = {1}});
}

}  // namespace

std::vector<double> probabilities(const trace::Record& record, int64_t image) {
  auto stages = trace::stages(record);
  if (stages.empty() || record.calls[stages.back()].outputs.empty()) return {};
  const trace::TensorInfo& out = record.tensors[record.calls[stages.back()].outputs[0]];
  if (out.shape.rank() != 2) return {};
  auto scores = values_of(out, image);
  if (scores.empty()) return {};
  float most = *std::ranges::max_element(scores);
  std::vector<double> p;
  double sum = 0;
  for (float s : scores) p.push_back(std::exp(static_cast<double>(s) - most)), sum += p.back();
  for (double& x : p) x /= sum;
  return p;
}

MapsBudget budget_for(const trace::Record& record, int64_t images) {
  int64_t stages = 0;
  for (int64_t s : trace::stages(record)) {
    const auto& outputs = record.calls[s].outputs;
    stages += !outputs.empty() && record.tensors[outputs[0]].shape.rank() == 4;
  }
  int64_t each = kPixels / std::max<int64_t>(images * stages, 1);
  return {.pixels = std::clamp<int64_t>(each, 256, kMostPixels)};
}

Html prediction(const trace::Record& record, const Sample& sample, const std::vector<std::string>& classes,
                const Arithmetic& arithmetic, const std::string& kernels, const MapsBudget& budget) {
  Html out = Writer(record, sample, classes).stages(arithmetic, kernels, budget);
  if (auto p = probabilities(record, sample.image); !p.empty())
    out += probability_table(p, classes, sample.label);
  return out;
}

}  // namespace espalier::view
