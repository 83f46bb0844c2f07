#pragma once

#include <vector>

#include <espalier/nn/module_ref.h>
#include <espalier/trace/tracer.h>

namespace espalier::train {

// The record of a training's step: calls and tensors of its forward, with the times of forward and backward,
// which are medians over the first few steps. Later steps are not recorded and cost nothing.
class StepRecord {
 public:
  static constexpr int kSteps = 7;

  explicit StepRecord(nn::ModuleRef model) : model_(model) {}

  // What records the step that begins; null when enough are recorded.
  trace::Tracer* begin();
  void end();  // of a step that began with a tracer
  const trace::Record& get() const { return record_; }
  int steps() const { return steps_; }  // that are in it

 private:
  nn::ModuleRef model_;
  trace::Tracer tracer_{{.level = trace::Level::shapes}};
  trace::Record record_;
  std::vector<std::vector<double>> forward_, backward_;  // seconds of each call
  int steps_ = 0;
};

}  // namespace espalier::train
