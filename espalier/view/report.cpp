#include <espalier/view/report.h>

#include <espalier/core/table.h>
#include <espalier/core/version.h>
#include <espalier/view/assets.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

std::string hash(const Asset& a) { return concat("'sha256-", a.sha256, "'"); }

// The files of the page that are used, in their order.
struct Files {
  explicit Files(const PageOptions& options)
      : styles{&asset("style.css"), &asset("charts.css"), &asset("graph.css"), &asset("results.css")},
        scripts{&asset("page.js")} {
    if (options.views) scripts.insert(scripts.end(), {&asset("prediction.js"), &asset("quiz.js")});
    if (options.live) scripts.push_back(&asset("live.js"));
  }
  std::vector<const Asset*> styles, scripts;
};

// Nothing is fetched, and only what the page brings along is run or styles it.
std::string policy(const Files& files, const PageOptions& options) {
  std::string styles, scripts;
  for (const Asset* a : files.styles) styles += " " + hash(*a);
  for (const Asset* a : files.scripts) scripts += " " + hash(*a);
  return concat("default-src 'none'; base-uri 'none'; form-action ", options.live ? "'self'" : "'none'",
                "; img-src data:; style-src", styles, "; script-src", scripts,
                options.live ? "; connect-src 'self'" : "");
}

Html head(const std::string& title, const Files& files, const PageOptions& options) {
  Html out = void_tag("meta", {{"charset", "utf-8"}});
  out += void_tag("meta", {{"http-equiv", "Content-Security-Policy"}, {"content", policy(files, options)}});
  out += void_tag("meta", {{"name", "viewport"}, {"content", "width=device-width, initial-scale=1"}});
  out += void_tag("meta", {{"name", "color-scheme"}, {"content", "light dark"}});
  out += tag("title", {}, title, " · Espalier");
  for (const Asset* a : files.styles) out += tag("style", {}, verbatim(a->text));
  return tag("head", {}, out);
}

Html fact(const std::string& name, const std::string& value) {
  return tag("div", {}, tag("dt", {}, name), tag("dd", {}, value));
}

std::string share(double accuracy) { return text::fixed(100 * accuracy, 1) + " %"; }

}  // namespace

Html facts(const RunData& run) {
  const trace::Settings& s = run.settings;
  Html out;
  if (!s.model.empty()) out += fact("Model", s.model);
  if (!s.data.empty()) out += fact("Data", s.data);
  if (int64_t n = run.structure.num_parameters()) out += fact("Parameters", text::grouped(n));
  if (!run.history.empty()) {
    const trace::Epoch& last = run.history.back();
    out += fact("Epochs", concat(run.history.size(), " of ", std::max<int64_t>(s.epochs, last.epoch)));
    if (last.val_accuracy) out += fact("Validation accuracy", share(*last.val_accuracy));
    else out += fact("Training accuracy", share(last.train_accuracy));
  }
  if (!s.optimizer.empty()) out += fact("Optimizer", concat(s.optimizer, ", learning rate ", s.lr));
  out += fact("Seed", concat(s.seed));
  return tag("dl", {{"class", "facts"}}, out);
}

Html theme_button() {
  return tag("button", {{"id", "theme"}, {"type", "button"}, {"hidden", ""}}, "Dark page");
}

namespace {

Html top(const RunData& run) {
  return tag("header", {{"class", "top"}},
             tag("div", {}, tag("p", {{"class", "kicker"}}, "A run, seen through"), tag("h1", {}, run.name),
                 facts(run)),
             theme_button());
}

Html tabs() {
  Html out;
  for (const View& v : views()) {
    out += tag(
        "a",
        {{"role", "tab"}, {"id", concat("tab-", v.id)}, {"href", concat("#", v.id)}, {"aria-controls", v.id}},
        v.title);
  }
  return tag("nav", {{"class", "tabs"}, {"aria-label", "Views"}},
             tag("div", {{"role", "tablist"}, {"aria-label", "Views of the run"}}, out));
}

using Content = Callable<Html(const View&)>;

Html panels(const Content& content) {
  Html out;
  for (const View& v : views()) {
    out +=
        tag("section",
            {{"id", v.id}, {"role", "tabpanel"}, {"aria-labelledby", concat("tab-", v.id)}, {"tabindex", -1}},
            tag("h2", {}, v.title), content(v));
  }
  return tag("main", {{"id", "main"}}, out);
}

Html foot(const RunData& run) {
  std::string text = concat("Written by Espalier ", version());
  for (const auto& [name, value] : run.environment) text += concat(" · ", name, ": ", value);
  return tag("footer", {}, tag("p", {}, text));
}

}  // namespace

const std::vector<View>& views() {
  static const std::vector<View> table = {
      {"structure", "Structure", structure_view},
      {"data-flow", "Data flow", data_flow_view},
      {"training", "Training", training_view},
      {"prediction", "Prediction", prediction_view},
      {"parameters", "Parameters", parameters_view},
      {"gradients", "Gradients", gradients_view},
      {"cost", "Cost", cost_view},
      {"mistakes", "Mistakes", mistakes_view},
      {"quiz", "Quiz", quiz_view},
  };
  return table;
}

std::string document(const std::string& title, const Html& content, const PageOptions& options) {
  Files files(options);
  Html body = tag("a", {{"class", "skip"}, {"href", "#main"}},
                  options.views ? "Skip to the view" : "Skip to the content");
  body += content;
  for (const Asset* a : files.scripts) body += tag("script", {}, verbatim(a->text));
  Html page = tag("html", {{"lang", "en"}}, head(title, files, options), tag("body", {}, body));
  return concat("<!doctype html>\n", page.str(), "\n");
}

std::string report(const RunData& run, const PageOptions& options, const Content& content) {
  Html page = top(run);
  page += tabs();
  page += panels(content);
  page += foot(run);
  return document(run.name, page, options);
}

std::string report(const RunData& run, const PageOptions& options) {
  return report(run, options, [&](const View& v) { return v.content(run); });
}

}  // namespace espalier::view
