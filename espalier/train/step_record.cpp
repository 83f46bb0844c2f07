#include <espalier/train/step_record.h>

#include <algorithm>

namespace espalier::train {
namespace {

double median(std::vector<double> v) {
  auto middle = v.begin() + static_cast<int64_t>(v.size() / 2);
  std::nth_element(v.begin(), middle, v.end());
  return *middle;
}

}  // namespace

trace::Tracer* StepRecord::begin() {
  if (steps_ == kSteps) return nullptr;
  for (const auto& [name, p] : model_.named_parameters()) tracer_.name(p, name);
  for (const auto& [name, b] : model_.named_buffers()) tracer_.name(b, name);
  return &tracer_;
}

void StepRecord::end() {
  ++steps_;
  trace::Record record = tracer_.take();
  // A model whose calls differ from step to step is shown by its last step.
  if (record.calls.size() != record_.calls.size()) {
    forward_.assign(record.calls.size(), {});
    backward_.assign(record.calls.size(), {});
  }
  record_ = std::move(record);
  for (size_t i = 0; i < record_.calls.size(); ++i) {
    trace::Call& call = record_.calls[i];
    forward_[i].push_back(call.seconds);
    backward_[i].push_back(call.backward_seconds);
    call.seconds = median(forward_[i]);
    call.backward_seconds = median(backward_[i]);
  }
}

}  // namespace espalier::train
