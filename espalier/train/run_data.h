#pragma once

#include <espalier/train/run.h>
#include <espalier/view/run_data.h>

namespace espalier::train {

// What the folder of a run holds, for view::report. Throws FileError for what is damaged; what is missing is
// left out.
view::RunData run_data(const Run& run);

// The same of a run that goes on: asked again, it reads what has changed since, and of the steps only what is
// new.
class RunFollower {
 public:
  explicit RunFollower(Run run);

  const Run& run() const { return run_; }
  // What changes within an epoch: settings, structure, history and steps. The rest is as it was at all().
  const view::RunData& figures();
  const view::RunData& all();
  // Another text when figures() or all() may be another.
  std::string figures_stamp() const;
  std::string all_stamp() const;  // but for the steps

 private:
  void read_steps();
  void read(bool figures);

  Run run_;
  view::RunData data_;
  std::vector<std::string> stamps_;  // of the parts, when they were read
  std::string steps_stamp_;
  size_t steps_read_ = 0;  // bytes
};

}  // namespace espalier::train
