#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <mutex>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>

#include "dropped.h"
#include "live_run.h"
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

Response view_of(LiveRun& run, const std::string& id, const std::string& known) {
  std::string version = run.version(id);
  if (version == known) return {.status = 304, .body = "", .version = version};
  std::string body = run.view(id);
  return body.empty() ? not_found() : Response{.body = std::move(body), .version = version};
}

class Site {
 public:
  explicit Site(const std::string& folder) : runs_(folder) {}

  Response answer(const Request& request) {
    if (request.path == "/") return {200, list_page(runs_)};
    if (request.path == "/compare") return {200, comparison_page(runs_, request.runs)};
    // /run/NAME, /run/NAME/view/ID, /run/NAME/predict
    if (!request.path.starts_with("/run/")) return not_found();
    std::string rest = request.path.substr(5);
    size_t slash = std::min(rest.find('/'), rest.size());
    auto run = live_.open(rest.substr(0, slash));
    return run ? of_run(*run, rest.substr(slash), request) : not_found();
  }

 private:
  Response of_run(LiveRun& run, const std::string& what, const Request& request) {
    if (what == "/predict") return request.post ? predict(run.run(), request.body) : not_found();
    if (request.post) return not_found();
    if (what.empty()) return {200, run.page()};
    if (what.starts_with("/view/")) return view_of(run, what.substr(6), request.known);
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
