#include <espalier/view/insight.h>

#include <algorithm>
#include <map>

#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/data_flow.h>

namespace espalier::view {
namespace {

std::string percent(double share) { return text::fixed(100 * share, 1) + " %"; }

double accuracy(const trace::Epoch& e) { return e.val_accuracy.value_or(e.train_accuracy); }

std::string learned(const RunData& run) {
  const trace::History& h = run.history;
  double end = accuracy(h.back()), first = accuracy(h.front());
  std::string text =
      concat("In ", h.size(), h.size() == 1 ? " epoch " : " epochs ", run.settings.model, " came to name ",
             percent(end), " of ", h.back().val_accuracy ? "images it had not seen" : "its training images");
  if (auto classes = std::ssize(run.settings.classes); classes > 1)
    text += concat(" (guessing: ", percent(1.0 / static_cast<double>(classes)), ")");
  if (h.size() > 1) text += concat(", ", percent(first), " after the first epoch already");
  return text + ".";
}

// The part of `total` that the largest has, and its name.
struct Most {
  std::string name;
  double share = 0;
};

void most_parameters(const trace::Structure& module, double total, Most& most) {
  double own = 0;
  for (const trace::ParameterInfo& p : module.parameters) {
    if (p.same_as.empty()) own += static_cast<double>(p.shape.numel());
  }
  if (own / total > most.share) most = {module.path, own / total};
  for (const trace::Structure& child : module.children) most_parameters(child, total, most);
}

Most most_arithmetic(const trace::Record& record) {
  Most most;
  double total = 0;
  for (int64_t number : trace::stages(record)) {
    const trace::Call& call = record.calls[number];
    total += call.flops;
    if (call.flops > most.share) most = {stage_name(call), call.flops};
  }
  if (total > 0) most.share /= total;
  return most;
}

std::string where(const RunData& run) {
  Most parameters, arithmetic = most_arithmetic(run.record);
  if (auto total = run.structure.num_parameters(); total > 0)
    most_parameters(run.structure, static_cast<double>(total), parameters);
  if (parameters.share == 0 && arithmetic.share == 0) return "";
  if (parameters.name == arithmetic.name)
    return concat(parameters.name, " holds ", percent(parameters.share), " of the parameters and does ",
                  percent(arithmetic.share), " of the arithmetic");
  std::string text;
  if (parameters.share > 0)
    text = concat(parameters.name, " holds ", percent(parameters.share), " of the parameters");
  if (arithmetic.share > 0)
    text += concat(text.empty() ? "" : " while ", arithmetic.name, " does ", percent(arithmetic.share),
                   " of the arithmetic");
  return text;
}

std::string mistaken(const RunData& run) {
  if (!run.predictions) return "";
  auto counts = trace::confusion(*run.predictions);
  int64_t n = run.predictions->classes, most = -1;
  for (int64_t i = 0; i < n * n; ++i) {
    if (i / n != i % n && (most < 0 || counts[i] > counts[most])) most = i;
  }
  if (most < 0 || counts[most] == 0) return "";
  auto name = [&](int64_t c) {
    return c < std::ssize(run.settings.classes) ? run.settings.classes[c] : concat("class ", c);
  };
  return concat("its commonest mistake is to take ", name(most / n), " for ", name(most % n), " (",
                counts[most], " times)");
}

}  // namespace

std::string key_insight(const RunData& run) {
  if (run.history.empty()) return "";
  std::string second = where(run), mistake = mistaken(run);
  if (!second.empty() && !mistake.empty()) second += "; ";
  second += mistake;
  if (!second.empty()) second = " In the model, " + second + ".";
  return learned(run) + second;
}

}  // namespace espalier::view
