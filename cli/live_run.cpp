#include "live_run.h"

#include <algorithm>

#include <espalier/core/threads.h>
#include <espalier/io/file.h>
#include <espalier/view/report.h>

namespace espalier::cli {
namespace {

constexpr size_t kMostRuns = 4;  // that are kept: one's samples may take tens of megabytes

// These change with every step; others with an epoch.
bool shows_steps(const std::string& view) { return view == "training" || view == "gradients"; }

const view::View* find(const std::string& id) {
  for (const view::View& v : view::views()) {
    if (id == v.id) return &v;
  }
  return nullptr;
}

}  // namespace

bool LiveRun::has_view(const std::string& id) { return find(id) != nullptr; }

std::string LiveRun::version(const std::string& id) {
  return shows_steps(id) ? run_.figures_stamp() : run_.all_stamp();
}

const view::RunData& LiveRun::data_for(const std::string& id) {
  return shows_steps(id) ? run_.figures() : run_.all();
}

const view::Html& LiveRun::made(const std::string& id) {
  std::string now = version(id);  // before reading: what is written meanwhile is seen the next time
  Made& made = made_[id];
  if (made.version != now) made = {now, find(id)->content(data_for(id))};
  return made.html;
}

std::string LiveRun::view(const std::string& id) {
  std::lock_guard one_at_a_time(busy_);
  SerialScope one_thread;
  view::Html out = view::facts(run_.figures());
  out += made(id);
  return out.str();
}

std::string LiveRun::page() {
  std::lock_guard one_at_a_time(busy_);
  SerialScope one_thread;
  return view::report(run_.all(), {.live = true}, [this](const view::View& v) { return made(v.id); });
}

std::shared_ptr<LiveRun> LiveRuns::open(const std::string& name) {
  auto path = runs_.path_of(name);
  if (!path) return nullptr;
  std::lock_guard lock(busy_);
  std::string stamp = io::stamp(*path + "/settings.toml");  // another run under the same name has another
  auto found = std::ranges::find_if(kept_, [&](const Kept& k) { return k.path == *path; });
  Kept kept = found != kept_.end() && found->stamp == stamp
                  ? *found
                  : Kept{*path, stamp, std::make_shared<LiveRun>(train::Run::open(*path))};
  if (found != kept_.end()) kept_.erase(found);
  kept_.insert(kept_.begin(), kept);
  if (kept_.size() > kMostRuns) kept_.pop_back();
  return kept.run;
}

}  // namespace espalier::cli
