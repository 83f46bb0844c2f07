#include <espalier/view/feature_maps.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>

#include <espalier/autograd/tensor.h>
#include <espalier/core/text.h>
#include <espalier/view/chart.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/pictures.h>

namespace espalier::view {
namespace {

static_assert(std::endian::native == std::endian::little, "pages hold numbers in little-endian order");

constexpr int64_t kWidth = 832, kLargestScale = 8;  // in pixels of the screen

// The integers of "stride=[2, 1], …" behind `key=`.
std::vector<int64_t> setting(const std::string& settings, const std::string& key) {
  std::vector<int64_t> out;
  size_t at = settings.find(key + "=");
  if (at == std::string::npos) return out;
  const char *p = settings.data() + at + key.size() + 1, *end = settings.data() + settings.size();
  bool list = p < end && *p == '[';
  for (p += list; p < end;) {
    int64_t value = 0;
    auto [next, error] = std::from_chars(p, end, value);
    if (error != std::errc()) break;
    out.push_back(value);
    p = next;
    if (!list || end - p < 2 || *p != ',') break;
    p += 2;
  }
  return out;
}

template <class T>
std::string bytes_url(const std::vector<T>& values) {
  return data_url("application/octet-stream",
                  {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)});
}

// Values as multiples of a unit, which is the largest of them over 32767.
std::string quantised(const std::vector<float>& values, double& unit) {
  float most = 0;
  for (float v : values) {
    if (std::isfinite(v)) most = std::max(most, std::abs(v));
  }
  unit = most > 0 ? most / 32767 : 1;
  std::vector<int16_t> out;
  for (float v : values) out.push_back(static_cast<int16_t>(std::isfinite(v) ? std::lround(v / unit) : 0));
  return bytes_url(out);
}

std::string joined(const std::vector<int64_t>& numbers) {
  std::string out;
  for (int64_t n : numbers) out += concat(out.empty() ? "" : ",", n);
  return out;
}

// A picture with pixels large enough to be told apart.
Html enlarged(const Picture& p, const std::string& alt) {
  int64_t scale = std::clamp<int64_t>(kWidth / std::max<int64_t>(p.width, 1), 1, kLargestScale);
  return void_tag("img", {{"src", data_url("image/png", png(p))},
                          {"alt", alt},
                          {"class", "pixels"},
                          {"width", scale * p.width},
                          {"height", scale * p.height}});
}

// Smaller maps by leaving out rows and columns.
std::vector<float> thinned(const std::vector<float>& maps, int64_t n, int64_t& h, int64_t& w, int64_t step) {
  int64_t rows = (h + step - 1) / step, columns = (w + step - 1) / step;
  std::vector<float> out;
  for (int64_t m = 0; m < n; ++m) {
    for (int64_t y = 0; y < rows; ++y) {
      for (int64_t x = 0; x < columns; ++x) out.push_back(maps[(m * h + y * step) * w + x * step]);
    }
  }
  h = rows, w = columns;
  return out;
}

}  // namespace

std::vector<float> values_of(const trace::TensorInfo& tensor, int64_t image) {
  if (!tensor.values || tensor.shape.rank() < 2 || image >= tensor.shape[0]) return {};
  return Tensor(*tensor.values).select(0, image).contiguous().to(float32).to_vector<float>();
}

std::optional<ConvStage> conv_stage(const trace::Record& record, int64_t stage) {
  std::vector<int64_t> calls = record.children(stage);
  calls.push_back(stage);
  for (int64_t number : calls) {
    const trace::Call& c = record.calls[number];
    if (c.module || !c.kind.starts_with("conv2d") || c.inputs.size() < 2 || c.outputs.empty()) continue;
    ConvStage s{.input = c.inputs[0],
                .weight = c.inputs[1],
                .bias = c.inputs.size() > 2 ? c.inputs[2] : -1,
                .output = c.outputs[0],
                .stride = setting(c.settings, "stride"),
                .padding = setting(c.settings, "padding"),
                .dilation = setting(c.settings, "dilation")};
    auto groups = setting(c.settings, "groups");
    if (!groups.empty()) s.groups = groups[0];
    bool complete =
        c.kind == "conv2d" && s.stride.size() == 2 && s.padding.size() == 2 && s.dilation.size() == 2;
    for (int64_t t : {s.input, s.weight, s.output}) complete = complete && record.tensors[t].values;
    if (s.bias >= 0) complete = complete && record.tensors[s.bias].values;
    if (complete) return s;
  }
  return std::nullopt;
}

Arithmetic::Arithmetic(const trace::Record& record, int64_t images, const MapsBudget& budget)
    : record_(record) {
  int64_t left = budget.arithmetic;
  for (int64_t stage : trace::stages(record)) {
    auto conv = conv_stage(record, stage);
    if (!conv) continue;
    int64_t batch = std::max<int64_t>(record.tensors[conv->input].shape[0], 1);
    int64_t values =
        (record.tensors[conv->input].shape.numel() + record.tensors[conv->output].shape.numel()) / batch;
    int64_t characters = (images * values * 2 + record.tensors[conv->weight].shape.numel() * 4) * 4 / 3;
    if (characters > left) continue;
    left -= characters;
    stages_.emplace(stage, *conv);
  }
}

Html Arithmetic::kernels(const std::string& prefix) const {
  Html out;
  for (const auto& [stage, conv] : stages_) {
    const auto& weight = record_.tensors[conv.weight];
    std::vector<float> bias(static_cast<size_t>(weight.shape[0]));
    if (conv.bias >= 0) bias = Tensor(*record_.tensors[conv.bias].values).to(float32).to_vector<float>();
    out += tag("div", {{"hidden", ""},
                       {"id", concat(prefix, "kernel-", stage)},
                       {"data-weight", bytes_url(Tensor(*weight.values).to(float32).to_vector<float>())},
                       {"data-bias", bytes_url(bias)},
                       {"data-shape", joined(weight.shape.vec())},
                       {"data-stride", joined(conv.stride)},
                       {"data-padding", joined(conv.padding)},
                       {"data-dilation", joined(conv.dilation)},
                       {"data-groups", conv.groups}});
  }
  return out;
}

std::optional<Arithmetic::Values> Arithmetic::of(const std::string& prefix, int64_t stage,
                                                 int64_t image) const {
  auto found = stages_.find(stage);
  if (found == stages_.end()) return std::nullopt;
  Values v{.kernel = concat(prefix, "kernel-", stage), .input = {}, .output = {}};
  v.input = quantised(values_of(record_.tensors[found->second.input], image), v.input_unit);
  v.output = quantised(values_of(record_.tensors[found->second.output], image), v.output_unit);
  return v;
}

Html feature_maps(const trace::Record& record, int64_t stage, int64_t image, const MapsBudget& budget,
                  const std::string& id, const std::optional<Arithmetic::Values>& values) {
  const trace::Call& call = record.calls[stage];
  const trace::TensorInfo& out = record.tensors[call.outputs[0]];
  std::vector<float> maps = values_of(out, image);
  int64_t all = out.shape[1], h = out.shape[2], w = out.shape[3];
  if (maps.empty() || all * h * w == 0) return {};
  float most = 0;
  for (float v : maps) {
    if (std::isfinite(v)) most = std::max(most, std::abs(v));
  }
  auto step = static_cast<int64_t>(
      std::ceil(std::sqrt(static_cast<double>(h * w) / static_cast<double>(budget.pixels))));
  if (step > 1) maps = thinned(maps, all, h, w, step);
  int64_t shown = std::clamp<int64_t>(budget.pixels / (h * w), 1, std::min<int64_t>(all, 64));
  Sprite s = sprite(maps.data(), shown, h, w, most);
  std::string what =
      concat(shown == all ? "All" : "The first", " ", shown, shown == all ? "" : concat(" of ", all),
             " maps of ", stage_name(call), ", ", out.shape[2], " × ", out.shape[3],
             "; orange above 0, blue below, full colour at ±", number(most));
  Html picture = tag("div", {{"class", "sprite"}}, enlarged(s.picture, what));
  Html caption = tag("figcaption", {}, what, values ? ". Choose a pixel to see how it was computed." : ".");
  if (!values || step > 1) return tag("figure", {{"class", "maps"}, {"id", id}}, picture, caption);
  return tag("figure",
             {{"class", "maps"},
              {"id", id},
              {"data-kernel", values->kernel},
              {"data-input", values->input},
              {"data-input-unit", values->input_unit},
              {"data-input-size", joined(record.tensors[call.inputs[0]].shape.vec())},
              {"data-output", values->output},
              {"data-output-unit", values->output_unit},
              {"data-output-size", joined(out.shape.vec())},
              {"data-columns", s.columns},
              {"data-shown", shown}},
             picture, caption);
}

}  // namespace espalier::view
