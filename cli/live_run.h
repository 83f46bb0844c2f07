#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <espalier/train/run_data.h>
#include <espalier/view/html.h>

#include "runs.h"

namespace espalier::cli {

// A run that is looked at. What a view shows is made once, and kept while the files that it is made of stay
// as they are. Calls are answered one after another, and with one thread, so that a training has the others.
class LiveRun {
 public:
  explicit LiveRun(train::Run run) : run_(std::move(run)) {}

  static bool has_view(const std::string& id);
  const train::Run& run() const { return run_.run(); }
  // Another text, not empty, when view(id) may be another. Costs a look at the files' sizes and times.
  std::string version(const std::string& id);
  // The run's facts, and behind them the content of a view.
  std::string view(const std::string& id);
  std::string page();

 private:
  struct Made {
    std::string version;
    view::Html html;
  };
  const view::RunData& data_for(const std::string& id);
  const view::Html& made(const std::string& id);

  std::mutex busy_;
  train::RunFollower run_;
  std::map<std::string, Made> made_;
};

// The runs that were looked at last.
class LiveRuns {
 public:
  explicit LiveRuns(const Runs& runs) : runs_(runs) {}
  // None where there is no such run. Throws FileError for one that is damaged.
  std::shared_ptr<LiveRun> open(const std::string& name);

 private:
  struct Kept {
    std::string path, stamp;
    std::shared_ptr<LiveRun> run;
  };

  const Runs& runs_;
  std::mutex busy_;
  std::vector<Kept> kept_;  // the latest first
};

}  // namespace espalier::cli
