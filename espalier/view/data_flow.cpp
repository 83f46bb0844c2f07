#include <espalier/view/data_flow.h>

#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/explain.h>

namespace espalier::view {
namespace {

// The first tensor that enters anything: the input of the whole; -1 in an empty record.
int64_t first_input(const trace::Record& record) {
  for (const trace::Call& call : record.calls) {
    if (!call.inputs.empty()) return call.inputs[0];
  }
  return -1;
}

}  // namespace

std::string stage_name(const trace::Call& call) {
  if (call.module) return call.path.empty() ? call.kind : call.path;
  return call.path.empty() ? call.kind : call.path + "." + call.kind;
}

std::string data_flow(const trace::Record& record) {
  auto stages = trace::stages(record);
  std::vector<std::vector<std::string>> rows = {
      {"stage", "goes in", "what happens", "comes out", "which is"}};
  if (int64_t input = first_input(record); input >= 0) {
    const Shape& shape = record.tensors[input].shape;
    rows.push_back({"input", "", "", to_string(shape), meaning(shape, Role::input)});
  }
  for (int64_t number : stages) {
    const trace::Call& call = record.calls[number];
    if (call.inputs.empty() || call.outputs.empty()) continue;
    const Shape& in = record.tensors[call.inputs[0]].shape;
    const Shape& out = record.tensors[call.outputs[0]].shape;
    Role role = number == stages.back() ? Role::output : Role::inner;
    rows.push_back(
        {stage_name(call), to_string(in), what_happens(record, number), to_string(out), meaning(out, role)});
  }
  return text::table(rows);
}

std::string prediction_trace(const trace::Record& record) {
  std::vector<std::vector<std::string>> rows = {{"layer", "shape", "mean", "spread", "min", "max", "zeros"}};
  auto add = [&](const std::string& name, int64_t tensor) {
    const trace::TensorInfo& t = record.tensors[tensor];
    if (!t.stats) return;
    rows.push_back({name, to_string(t.shape), text::fixed(t.stats->mean, 3), text::fixed(t.stats->std, 3),
                    text::fixed(t.stats->min, 3), text::fixed(t.stats->max, 3),
                    text::fixed(100 * t.stats->zeros, 1) + " %"});
  };
  if (int64_t input = first_input(record); input >= 0) add("input", input);
  for (int64_t number : trace::stages(record)) {
    const trace::Call& call = record.calls[number];
    if (!call.outputs.empty()) add(stage_name(call), call.outputs[0]);
  }
  return text::table(rows, {2, 3, 4, 5, 6});
}

}  // namespace espalier::view
