#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <mutex>
#include <utility>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>

#include "dropped.h"
#include "live_run.h"
#include "news.h"
#include "serve_pages.h"
#include "server.h"
#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string runs = "runs";
  int port = 8765;
};

Response not_found() { return {404, "There is nothing under this address.\n", "text/plain; charset=utf-8"}; }

class Site {
 public:
  explicit Site(const std::string& folder) : runs_(folder) {}

  Response answer(const Request& request) {
    if (request.path == "/") return {200, list_page(runs_)};
    if (request.path == "/compare") return {200, comparison_page(runs_, request.runs)};
    // /run/NAME, /run/NAME/view/ID, /run/NAME/follow/ID, /run/NAME/predict
    if (!request.path.starts_with("/run/")) return not_found();
    std::string rest = request.path.substr(5);
    size_t slash = std::min(rest.find('/'), rest.size());
    std::string name = rest.substr(0, slash);
    auto run = live_.open(name);
    return run ? of_run(*run, name, rest.substr(slash), request) : not_found();
  }

 private:
  Response of_run(LiveRun& run, const std::string& name, const std::string& what, const Request& request) {
    if (what == "/predict") return request.post ? predict(run.run(), request.body) : not_found();
    if (request.post) return not_found();
    if (what.empty()) return {200, run.page()};
    std::string id = what.substr(what.rfind('/') + 1);
    if (!LiveRun::has_view(id)) return not_found();
    if (what == "/view/" + id) return {200, run.view(id)};
    if (what == "/follow/" + id) return follow(name, id, request.whole);
    return not_found();
  }

  // The view as it is, and again whenever it is another: `whole`, or edits, without the rows of folded
  // tables.
  Response follow(const std::string& name, const std::string& id, bool whole) {
    auto news = [this, name, id, whole, version = std::string(), shown = std::string()]() mutable {
      auto run = live_.open(name);
      require<FileError>(run != nullptr, name, ": the run is gone");
      if (std::string now = run->version(id); std::exchange(version, now) == now) return std::string();
      std::string text = run->view(id);
      if (!whole) text = without_tables(text);
      std::string before = std::exchange(shown, text);
      if (text == before) return std::string();
      return whole || before.empty() ? text : edits(text, before);
    };
    return {.body = "", .news = news};
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
  LiveRuns live_{runs_};
  std::mutex busy_;
};

void run(const Options& o) {
  Site site(o.runs);
  (void)!::nice(19);  // a training comes first
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
