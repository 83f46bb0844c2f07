#include <algorithm>
#include <cmath>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

using trace::GradientState;

constexpr size_t kLines = 4;  // that a chart tells apart

std::string words(const GradientState& s) {
  switch (s.kind) {
    case GradientState::vanishing: return concat("vanishing: ", number(s.ratio), " of the largest module's");
    case GradientState::exploding: return concat("exploding: ", number(s.ratio), " times what they were");
    case GradientState::not_finite: return "not a number at some step";
    default: return "sound";
  }
}

std::string label(const std::string& path) { return path.empty() ? "the model itself" : path; }

std::string finding(const std::vector<GradientState>& states, const trace::Steps& looks) {
  std::string text;
  for (const GradientState& s : states) {
    if (s.kind != GradientState::sound)
      text += concat(text.empty() ? "" : "; ", "the gradients of ", label(s.name), " are ", words(s));
  }
  if (text.empty()) text = concat("No gradients vanish or explode: all ", states.size(), " modules learn");
  int64_t dead = 0, units = 0;
  for (const trace::UnitsStep& u : looks.back().units) dead += u.dead, units += u.units;
  if (dead > 0) text += concat("; ", text::grouped(dead), " of ", text::grouped(units), " units are dead");
  else if (units > 0) text += concat("; none of ", text::grouped(units), " units is dead");
  text[0] = static_cast<char>(std::toupper(text[0]));
  return text + ".";
}

// What `value` gives for a layer or a stage at each look.
template <class Of, class Value>
Series series(const trace::Steps& looks, const std::string& name, Of of, Value value) {
  Series s{.name = label(name), .x = {}, .y = {}};
  for (const trace::Step& step : looks) {
    for (const auto& part : of(step)) {
      if (part.name != name) continue;
      s.x.push_back(static_cast<double>(step.step));
      s.y.push_back(value(part));
    }
  }
  return s;
}

// The first and the last layers, where there are more than a chart tells apart.
std::vector<std::string> shown(const std::vector<GradientState>& states) {
  std::vector<std::string> out;
  size_t n = states.size();
  for (size_t i = 0; i < std::min(n, kLines); ++i)
    out.push_back(states[n <= kLines ? i : i * (n - 1) / (kLines - 1)].name);
  return out;
}

template <class Value>
Html chart(const trace::Steps& looks, const std::vector<std::string>& names, const char* id,
           const char* title, const char* y, Value value) {
  LineChart c{.id = id, .title = title, .x_label = "step", .y_label = y, .log_y = true, .grows = true};
  for (const std::string& name : names)
    c.series.push_back(series(
        looks, name, [](const trace::Step& s) { return s.layers; }, value));
  return line_chart(c);
}

Html table_of(const std::vector<GradientState>& states, const trace::Steps& looks) {
  std::vector<std::vector<Html>> rows;
  for (const GradientState& s : states) {
    const trace::LayerStep* last = nullptr;
    for (const trace::LayerStep& l : looks.back().layers) {
      if (l.name == s.name) last = &l;
    }
    double ratio = last && last->weight > 0 ? last->update / last->weight : 0;
    rows.push_back({label(s.name), last ? text::grouped(last->elements) : "", number(s.size),
                    last ? number(last->gradient) : "", number(ratio), words(s)});
  }
  return table(
      {"module", "parameters", "gradient of a parameter", "of all (norm)", "update / weight", "state"}, rows,
      {.caption = "Sizes: of one parameter's gradient the median over the last quarter of the training; the "
                  "others at the last look. An update of about a thousandth of the weight is usual.",
       .numbers = {1, 2, 3, 4}});
}

Html dead_units(const trace::Steps& looks) {
  if (looks.back().units.empty()) return {};
  Html out = tag("h3", {}, "Dead units");
  out += tag("p", {},
             "A unit is dead when its ReLU gives nothing but 0 for every image and place of a batch: then it "
             "passes no "
             "gradient on and does not learn.");
  std::vector<std::vector<Html>> rows;
  LineChart c{.id = "dead-units",
              .title = "Dead units over the training",
              .x_label = "step",
              .y_label = "units",
              .from_zero = true,
              .grows = true};
  for (const trace::UnitsStep& u : looks.back().units) {
    double share = u.units > 0 ? static_cast<double>(u.dead) / static_cast<double>(u.units) : 0;
    rows.push_back({u.name, u.units, u.dead, text::fixed(100 * share, 1) + " %", bar({share})});
    if (c.series.size() < kLines)
      c.series.push_back(series(
          looks, u.name, [](const trace::Step& s) { return s.units; },
          [](const trace::UnitsStep& p) { return static_cast<double>(p.dead); }));
  }
  out += line_chart(c);
  out += table({"stage", "units", "dead", "share", ""}, rows,
               {.caption = "At the last look", .numbers = {1, 2, 3}});
  return out;
}

}  // namespace

Html gradients_view(const RunData& run) {
  trace::Steps looks;
  for (const trace::Step& s : run.steps) {
    if (!s.layers.empty()) looks.push_back(s);
  }
  if (looks.empty()) return nothing_kept("This run kept no gradients.");
  auto states = trace::gradient_states(run.steps);
  auto names = shown(states);
  Html out = tag("p", {{"class", "finding"}}, finding(states, looks));
  if (states.size() > names.size())
    out += tag("p", {{"class", "muted"}},
               concat("Lines are drawn for ", names.size(), " of ", states.size(),
                      " modules, from the first to the last; the table has all."));
  auto rms = [](const trace::LayerStep& l) {
    return l.gradient / std::sqrt(static_cast<double>(std::max<int64_t>(l.elements, 1)));
  };
  auto update = [](const trace::LayerStep& l) { return l.weight > 0 ? l.update / l.weight : 0; };
  out += chart(looks, names, "gradient-size", "Size of gradients by module",
               "root mean square of a parameter's gradient", rms);
  out += chart(looks, names, "update-size", "Size of updates against the weights", "update / weight (norms)",
               update);
  out += table_of(states, looks);
  out += dead_units(looks);
  return out;
}

}  // namespace espalier::view
