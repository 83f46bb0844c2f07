#pragma once

#include <string>

#include <espalier/core/stopwatch.h>
#include <espalier/train/watch.h>

namespace espalier::train {

// Writes the moments of a training to steps.jsonl while it goes on. A line has means of loss and accuracy
// since the one before; now and then (step 1, then every 100th, or less often in a long training) also what
// Watch sees. Around each step:
//   log.begin();            -> what records the forward, or null
//   loss.backward();        log.gradients();
//   optimizer.step();       log.end(…);
class StepLog {
 public:
  StepLog(std::string path, nn::ModuleRef model, int64_t steps_in_epoch, int64_t epochs);

  Recorder* begin();
  void gradients();
  // Sums over the samples of the step: of their losses, and how many of them were right.
  void end(int64_t epoch, double lr, double loss, double right, double samples);

 private:
  bool line_is_due() const;
  double now() const { return clock_.seconds(); }

  std::string path_;
  Watch watch_;
  int64_t in_epoch_, look_every_, line_every_;
  int64_t step_ = 0;
  bool looks_ = false;
  double loss_ = 0, right_ = 0, samples_ = 0;  // since the last line
  Stopwatch clock_;
  double last_ = 0;  // when the last line was written
};

}  // namespace espalier::train
