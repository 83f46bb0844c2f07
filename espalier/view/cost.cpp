#include <espalier/view/cost.h>

#include <algorithm>
#include <set>

#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/data_flow.h>

namespace espalier::view {
namespace {

double bytes(const trace::TensorInfo& t) {
  return static_cast<double>(t.shape.numel()) * static_cast<double>(itemsize(t.dtype));
}

bool is_product(const std::string& op) {
  return op == "conv2d" || op == "linear" || op == "matmul" || op == "mm" || op == "bmm" || op == "addmm";
}

// How many tensors that an operation reads get a gradient by a product of their own.
int gradients(const trace::Record& record, const trace::Call& call) {
  int n = 0;
  for (int64_t t : call.inputs) {
    const trace::TensorInfo& info = record.tensors[t];
    bool computed = info.producer >= 0, weight = !info.name.empty() && info.shape.rank() > 1;
    n += computed || weight;
  }
  return n;
}

void add_operation(const trace::Record& record, const trace::Call& call, CostRow& row) {
  Work forward{.seconds = call.seconds, .flops = call.flops};
  for (auto* list : {&call.inputs, &call.outputs}) {
    for (int64_t t : *list) forward.bytes += bytes(record.tensors[t]);
  }
  if (call.flops == 0 && call.seconds < 2e-6) forward.bytes = 0;  // a view: nothing moves
  int passes = is_product(call.kind) ? gradients(record, call) : 1;
  row.forward += forward;
  if (call.backward_seconds > 0)
    row.backward += {call.backward_seconds, passes * forward.flops, passes * forward.bytes};
}

void add_call(const trace::Record& record, int64_t number, CostRow& row) {
  const trace::Call& call = record.calls[number];
  if (!call.module) add_operation(record, call, row);
  for (int64_t child : record.children(number)) add_call(record, child, row);
}

void collect_parameters(const trace::Record& record, int64_t number, std::set<int64_t>& out) {
  for (int64_t t : record.calls[number].inputs) {
    if (!record.tensors[t].name.empty()) out.insert(t);
  }
  for (int64_t child : record.children(number)) collect_parameters(record, child, out);
}

std::string milliseconds(double seconds) { return text::fixed(1e3 * seconds, 3); }

}  // namespace

double Work::least(const trace::Machine& machine) const {
  return machine.known() ? std::max(flops / machine.flops, bytes / machine.bytes) : 0;
}

Work& Work::operator+=(const Work& more) {
  seconds += more.seconds, flops += more.flops, bytes += more.bytes;
  return *this;
}

std::vector<CostRow> cost_rows(const trace::Record& record) {
  std::vector<CostRow> rows;
  for (int64_t number : trace::stages(record)) {
    const trace::Call& call = record.calls[number];
    CostRow row{.stage = stage_name(call), .kind = call.kind};
    add_call(record, number, row);
    for (int64_t t : call.outputs) row.kept += bytes(record.tensors[t]);
    std::set<int64_t> parameters;
    collect_parameters(record, number, parameters);
    for (int64_t t : parameters) row.parameters += bytes(record.tensors[t]);
    rows.push_back(std::move(row));
  }
  return rows;
}

CostRow total(const std::vector<CostRow>& rows) {
  CostRow sum{.stage = "sum"};
  for (const CostRow& row : rows) {
    sum.forward += row.forward, sum.backward += row.backward;
    sum.kept += row.kept, sum.parameters += row.parameters;
  }
  return sum;
}

std::string cost(const trace::Record& record, const trace::Machine& machine) {
  std::vector<std::vector<std::string>> table = {
      {"stage", "forward ms", "backward ms", "MFLOP", "GFLOP/s", "of possible", "output MB"}};
  auto rows = cost_rows(record);
  rows.push_back(total(rows));
  for (const CostRow& row : rows) {
    Work both = row.forward;
    both += row.backward;
    double least = both.least(machine);
    table.push_back({row.stage, milliseconds(row.forward.seconds), milliseconds(row.backward.seconds),
                     text::fixed(both.flops / 1e6, 1),
                     both.seconds > 0 ? text::fixed(both.flops / both.seconds / 1e9, 1) : "-",
                     least > 0 && both.seconds > 0 ? text::fixed(100 * least / both.seconds, 0) + " %" : "-",
                     text::fixed(row.kept / 1e6, 2)});
  }
  return text::table(table, {1, 2, 3, 4, 5, 6});
}

}  // namespace espalier::view
