#include <unistd.h>

#include <filesystem>
#include <iostream>
#include <mutex>

#include <CLI/CLI.hpp>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/train/run_data.h>
#include <espalier/view/report.h>

#include "dropped.h"
#include "serve_pages.h"
#include "server.h"
#include "verbs.h"

namespace espalier::cli {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string runs = "runs";
  int port = 8765;
};

Response not_found() { return {404, "There is nothing under this address.\n", "text/plain; charset=utf-8"}; }

int64_t size_of(const std::string& path) {
  std::error_code error;
  auto size = fs::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

// Numbers that change when there is something new: to every view that shows steps, and to the others.
Response news(const train::Run& run) {
  nlohmann::json json = {{"steps", size_of(run.file("steps.jsonl"))},
                         {"epochs", size_of(run.file("metrics.jsonl")) + size_of(run.file("samples.json"))}};
  return {200, json.dump(), "application/json"};
}

// These views change with every step, and need little of the run's folder.
bool is_live(const std::string& view) { return view == "training" || view == "gradients"; }

Response view_of(const train::Run& run, const std::string& id) {
  if (id == "facts") return {200, view::facts(live_data(run)).str()};
  for (const view::View& v : view::views()) {
    if (id == v.id) return {200, v.content(is_live(id) ? live_data(run) : train::run_data(run)).str()};
  }
  return not_found();
}

class Site {
 public:
  explicit Site(const std::string& folder) : runs_(folder) {}

  Response answer(const Request& request) {
    if (request.path == "/") return {200, list_page(runs_)};
    if (request.path == "/compare") return {200, comparison_page(runs_, request.runs)};
    // /run/NAME, /run/NAME/news, /run/NAME/view/ID, /run/NAME/predict
    if (!request.path.starts_with("/run/")) return not_found();
    std::string rest = request.path.substr(5);
    size_t slash = std::min(rest.find('/'), rest.size());
    auto run = runs_.open(rest.substr(0, slash));
    return run ? of_run(*run, rest.substr(slash), request) : not_found();
  }

 private:
  Response of_run(const train::Run& run, const std::string& what, const Request& request) {
    if (what == "/predict") return request.post ? predict(run, request.body) : not_found();
    if (request.post) return not_found();
    if (what.empty()) return {200, view::report(train::run_data(run), {.live = true})};
    if (what == "/news") return news(run);
    if (what.starts_with("/view/")) return view_of(run, what.substr(6));
    return not_found();
  }

  Response predict(const train::Run& run, const std::string& file) {
    std::lock_guard one_at_a_time(busy_);
    try {
      return {200, follow_image(run, file).str()};
    } catch (const Error& e) {
      return {400, printable(e.what()), "text/plain; charset=utf-8"};
    }
  }

  Runs runs_;
  std::mutex busy_;
};

void run(const Options& o) {
  Site site(o.runs);
  (void)!::nice(10);  // a training comes first
  serve(
      o.port, [&](const Request& request) { return site.answer(request); },
      [&](int port) {
        std::cout << "The runs in " << o.runs << " are at http://127.0.0.1:" << port << "/ (Ctrl-C ends this)"
                  << std::endl;
      });
}

}  // namespace

Work serve(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("runs", o->runs, "Folder of runs, or of one run")->capture_default_str();
  command.add_option("--port", o->port, "0 takes one that is free")
      ->capture_default_str()
      ->check(CLI::Range(0, 65535));
  return [o] { run(*o); };
}

}  // namespace espalier::cli
