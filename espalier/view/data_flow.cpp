#include <espalier/view/data_flow.h>

#include <espalier/core/table.h>
#include <espalier/core/text.h>

namespace espalier::view {
namespace {

// The first tensor that enters anything: the input of the whole; -1 in an empty record.
int64_t first_input(const trace::Record& record) {
  for (const trace::Call& call : record.calls) {
    if (!call.inputs.empty()) return call.inputs[0];
  }
  return -1;
}

// What the outermost module gives, or else the last stage: the model's output, whatever loss follows.
int64_t last_output(const trace::Record& record) {
  for (const trace::Call& call : record.calls) {
    if (call.module && call.parent < 0 && !call.outputs.empty()) return call.outputs[0];
  }
  for (auto call = record.calls.rbegin(); call != record.calls.rend(); ++call) {
    if (!call->outputs.empty()) return call->outputs[0];
  }
  return -1;
}

}  // namespace

std::string stage_name(const trace::Call& call) {
  if (call.module) return call.path.empty() ? call.kind : call.path;
  return call.path.empty() ? call.kind : call.path + "." + call.kind;
}

std::vector<FlowRow> flow(const trace::Record& record) {
  std::vector<FlowRow> rows;
  int64_t input = first_input(record), output = last_output(record);
  if (input >= 0) {
    rows.push_back({.stage = "input", .out = record.tensors[input].shape, .out_role = Role::input});
  }
  auto role = [&](int64_t tensor) {
    return tensor == input ? Role::input : tensor == output ? Role::output : Role::inner;
  };
  for (int64_t number : trace::stages(record)) {
    const trace::Call& call = record.calls[number];
    if (call.inputs.empty() || call.outputs.empty()) continue;
    rows.push_back({.stage = stage_name(call),
                    .kind = call.kind,
                    .settings = call.settings,
                    .what = what_happens(record, number),
                    .in = record.tensors[call.inputs[0]].shape,
                    .out = record.tensors[call.outputs[0]].shape,
                    .in_role = role(call.inputs[0]),
                    .out_role = role(call.outputs[0]),
                    .call = number});
  }
  return rows;
}

std::string data_flow(const trace::Record& record) {
  Reading reading(record);
  std::vector<std::vector<std::string>> rows = {
      {"stage", "goes in", "what happens", "comes out", "which is"}};
  for (const FlowRow& row : flow(record)) {
    rows.push_back({row.stage, row.call < 0 ? "" : to_string(row.in), row.what, to_string(row.out),
                    reading.meaning(row.out, row.out_role)});
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
