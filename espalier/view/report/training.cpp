#include <algorithm>
#include <cmath>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/report/views.h>
#include <espalier/view/training_trace.h>

namespace espalier::view {
namespace {

using Value = double (*)(const trace::Epoch&);

Series by_epoch(const std::string& name, const trace::History& history, Value value) {
  Series s{name, {}, {}};
  for (const trace::Epoch& e : history) {
    s.x.push_back(static_cast<double>(e.epoch));
    s.y.push_back(value(e));
  }
  return s;
}

bool validated(const trace::History& history) {
  return std::any_of(history.begin(), history.end(), [](const trace::Epoch& e) { return e.val_loss; });
}

LineChart epochs_chart(const RunData& run, const char* id, const char* title, Value train, Value validation) {
  LineChart chart{.id = id,
                  .title = title,
                  .x_label = "epoch",
                  .series = {by_epoch("training", run.history, train)},
                  .grows = std::ssize(run.history) < run.settings.epochs};
  if (validated(run.history)) chart.series.push_back(by_epoch("validation", run.history, validation));
  return chart;
}

constexpr size_t kMostPoints = 200;  // that a chart by step shows

// Means of equal groups of the moments, at most kMostPoints of them. Groups double as a run grows, and stay
// as they are between.
Series by_step(const std::string& name, const trace::Steps& steps, double trace::Step::*value) {
  Series s{name, {}, {}};
  size_t group = 1;
  while (group * kMostPoints < steps.size()) group *= 2;
  for (size_t i = 0; i < steps.size(); i += group) {
    size_t end = std::min(i + group, steps.size());
    double sum = 0;
    for (size_t k = i; k < end; ++k) sum += steps[k].*value;
    s.x.push_back(static_cast<double>(steps[end - 1].step));
    s.y.push_back(sum / static_cast<double>(end - i));
  }
  return s;
}

Html step_charts(const RunData& run) {
  Html out = line_chart({.id = "chart-step-loss",
                         .title = "Training loss by step",
                         .x_label = "step",
                         .series = {by_step("loss", run.steps, &trace::Step::loss)},
                         .grows = true});
  out += line_chart({.id = "chart-step-accuracy",
                     .title = "Training accuracy by step",
                     .x_label = "step",
                     .series = {by_step("accuracy", run.steps, &trace::Step::accuracy)},
                     .grows = true});
  return out;
}

Html charts(const RunData& run) {
  Html out = line_chart(epochs_chart(
      run, "chart-loss", "Loss by epoch", [](const trace::Epoch& e) { return e.train_loss; },
      [](const trace::Epoch& e) { return e.val_loss.value_or(std::nan("")); }));
  out += line_chart(epochs_chart(
      run, "chart-accuracy", "Accuracy by epoch", [](const trace::Epoch& e) { return e.train_accuracy; },
      [](const trace::Epoch& e) { return e.val_accuracy.value_or(std::nan("")); }));
  if (run.steps.size() > 1) out += step_charts(run);
  LineChart rate{.id = "chart-rate", .title = "Learning rate", .x_label = "epoch", .from_zero = true};
  rate.series = {by_epoch("learning rate", run.history, [](const trace::Epoch& e) { return e.lr; })};
  const auto& lr = rate.series[0].y;
  if (std::any_of(lr.begin(), lr.end(), [&](double v) { return v != lr[0]; })) out += line_chart(rate);
  return tag("div", {{"class", "charts"}}, out);
}

Html optional(const std::optional<double>& value, int decimals) {
  return value ? text::fixed(*value, decimals) : "–";
}

Html rows(const RunData& run) {
  std::vector<std::vector<Html>> out;
  for (size_t i = 0; i < run.history.size(); ++i) {
    const trace::Epoch& e = run.history[i];
    out.push_back({e.epoch, text::fixed(e.train_loss, 4), text::fixed(e.train_accuracy, 3),
                   optional(e.val_loss, 4), optional(e.val_accuracy, 3), number(e.lr),
                   text::fixed(e.seconds, 1),
                   observation(run.history, i, static_cast<int64_t>(run.settings.classes.size()))});
  }
  return table(
      {"Epoch", "Loss", "Accuracy", "Val. loss", "Val. accuracy", "Learning rate", "Seconds", "What it says"},
      out, {.caption = "Training trace", .numbers = {0, 1, 2, 3, 4, 5, 6}});
}

}  // namespace

Html training_view(const RunData& run) {
  if (run.history.empty()) {
    Html out = nothing_kept("No epoch of this run is finished yet.");
    if (run.steps.size() > 1) out += tag("div", {{"class", "charts"}}, step_charts(run));
    return out;
  }
  Html out = tag("p", {{"class", "finding"}}, verdict(run.history));
  out += charts(run);
  out += tag("h3", {}, "Epoch by epoch");
  return out += rows(run);
}

}  // namespace espalier::view
