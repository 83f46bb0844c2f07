#include "serve_pages.h"

#include <algorithm>
#include <chrono>
#include <filesystem>

#include <espalier/core/error.h>
#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/report.h>

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;
using view::Html;
using view::tag;

constexpr size_t kMostCompared = 4;
constexpr auto kQuiet = std::chrono::seconds(60);  // then a run that did not end is taken for stopped

std::string state_of(const train::Run& run, const trace::History& history) {
  if (std::ssize(history) >= run.settings().epochs) return "ended";
  std::error_code error;
  auto written = fs::last_write_time(run.file("steps.jsonl"), error);
  if (error) return "not begun";
  return fs::file_time_type::clock::now() - written < kQuiet ? "training" : "stopped";
}

trace::History history_of(const train::Run& run) {
  return fs::exists(run.file("metrics.jsonl")) ? run.history() : trace::History{};
}

std::string percent(double share) { return text::fixed(100 * share, 1) + " %"; }

std::string accuracy_of(const trace::History& h) {
  return h.empty() ? "–" : percent(h.back().val_accuracy.value_or(h.back().train_accuracy));
}

Html link_to(const std::string& name) { return tag("a", {{"href", "/run/" + view::url_part(name)}}, name); }

Html choose(const std::string& name) {
  return view::void_tag(
      "input",
      {{"type", "checkbox"}, {"name", "run"}, {"value", name}, {"aria-label", concat("Compare ", name)}});
}

std::vector<Html> row(const Runs& runs, const std::string& name) {
  try {
    auto run = runs.open(name);
    if (!run) return {};
    auto h = history_of(*run);
    const trace::Settings& s = run->settings();
    return {link_to(name),
            s.model,
            s.data,
            concat(h.size(), " of ", s.epochs),
            h.empty() ? "–" : text::fixed(h.back().train_loss, 4),
            accuracy_of(h),
            state_of(*run, h),
            choose(name)};
  } catch (const Error& e) {
    return {name, printable(e.what()), "", "", "", "", "damaged", ""};
  }
}

struct Compared {
  std::string name;
  trace::Settings settings;
  trace::History history;
};

view::Html chart(const std::vector<Compared>& runs, const char* id, const char* title,
                 double (*value)(const trace::Epoch&)) {
  view::LineChart c{.id = id, .title = title, .x_label = "epoch"};
  for (const Compared& r : runs) {
    view::Series s{.name = r.name, .x = {}, .y = {}};
    for (const trace::Epoch& e : r.history) {
      s.x.push_back(static_cast<double>(e.epoch));
      s.y.push_back(value(e));
    }
    c.series.push_back(std::move(s));
  }
  return view::line_chart(c);
}

// A row for each figure or setting; those in which runs differ come first in bold.
Html differences(const std::vector<Compared>& runs) {
  using Text = std::string (*)(const Compared&);
  static constexpr std::pair<const char*, Text> kRows[] = {
      {"epochs done", [](const Compared& r) { return concat(r.history.size()); }},
      {"last training loss",
       [](const Compared& r) {
         return r.history.empty() ? "–" : text::fixed(r.history.back().train_loss, 4);
       }},
      {"last accuracy", [](const Compared& r) { return accuracy_of(r.history); }},
      {"model", [](const Compared& r) { return r.settings.model; }},
      {"data", [](const Compared& r) { return r.settings.data; }},
      {"epochs", [](const Compared& r) { return concat(r.settings.epochs); }},
      {"batch size", [](const Compared& r) { return concat(r.settings.batch_size); }},
      {"optimizer", [](const Compared& r) { return r.settings.optimizer; }},
      {"learning rate", [](const Compared& r) { return concat(r.settings.lr); }},
      {"seed", [](const Compared& r) { return concat(r.settings.seed); }},
  };
  std::vector<Html> head = {""};
  for (const Compared& r : runs) head.push_back(link_to(r.name));
  head.push_back("");
  std::vector<std::vector<Html>> rows;
  for (const auto& [name, text] : kRows) {
    std::vector<Html> cells = {name};
    bool differ = false;
    for (const Compared& r : runs) {
      cells.push_back(text(r));
      differ = differ || text(r) != text(runs[0]);
    }
    cells.push_back(differ ? "differs" : "");
    rows.push_back(std::move(cells));
  }
  return view::table(head, rows, {.caption = "Figures and settings"});
}

Html heading(const std::string& kicker, const std::string& title) {
  return tag("header", {{"class", "top"}},
             tag("div", {}, tag("p", {{"class", "kicker"}}, kicker), tag("h1", {}, title)),
             view::theme_button());
}

}  // namespace

std::string list_page(const Runs& runs) {
  Html body = heading("On this machine", "Runs");
  std::vector<std::vector<Html>> rows;
  for (const std::string& name : runs.names()) {
    if (auto cells = row(runs, name); !cells.empty()) rows.push_back(std::move(cells));
  }
  Html content;
  if (rows.empty())
    content = tag("p", {{"class", "absent"}}, "There are no runs here yet. `espalier train` makes one.");
  else
    content =
        tag("form", {{"action", "/compare"}, {"method", "get"}},
            view::table({"run", "model", "data", "epochs", "loss", "accuracy", "state", "compare"}, rows,
                        {.caption = "Accuracy is that of the validation data where there is some.",
                         .numbers = {3, 4, 5}}),
            tag("button", {}, "Compare those chosen"));
  body += tag("main", {{"id", "main"}}, content);
  return view::document("Runs", body, {.live = true, .views = false});
}

std::string comparison_page(const Runs& runs, const std::vector<std::string>& names) {
  std::vector<Compared> compared;
  for (const std::string& name : names) {
    if (compared.size() == kMostCompared) break;
    if (auto run = runs.open(name)) compared.push_back({name, run->settings(), history_of(*run)});
  }
  Html body = heading("Runs beside each other", "Comparison");
  Html content = tag("p", {}, tag("a", {{"href", "/"}}, "All runs"));
  if (compared.size() < 2) {
    content += tag("p", {{"class", "absent"}}, "Choose two to four runs in the list.");
  } else {
    content += tag(
        "div", {{"class", "charts"}},
        chart(compared, "compare-loss", "Training loss", [](const trace::Epoch& e) { return e.train_loss; }),
        chart(compared, "compare-accuracy", "Accuracy (of validation data where there is some)",
              [](const trace::Epoch& e) { return e.val_accuracy.value_or(e.train_accuracy); }));
    content += differences(compared);
  }
  body += tag("main", {{"id", "main"}}, content);
  return view::document("Comparison", body, {.live = true, .views = false});
}

}  // namespace espalier::cli
