#include <espalier/view/cost.h>

#include <algorithm>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

std::string milliseconds(double seconds) { return text::fixed(1e3 * seconds, 3); }

std::string megabytes(double bytes) { return text::fixed(bytes / 1e6, 2); }

std::string share(double part) { return text::fixed(100 * part, part < 0.1 ? 1 : 0) + " %"; }

Work both(const CostRow& row) {
  Work work = row.forward;
  return work += row.backward;
}

// Whether arithmetic or memory would take longer, were all else perfect.
const char* bound(const Work& work, const trace::Machine& machine) {
  return work.flops / machine.flops > work.bytes / machine.bytes ? "arithmetic" : "memory";
}

Html share_cell(const CostRow& row, const Work& all) {
  Html out = concat(share(both(row).seconds / all.seconds), " ");
  return out += bar({row.forward.seconds / all.seconds, row.backward.seconds / all.seconds});
}

std::vector<Html> cells(const CostRow& row, const Work& all) {
  Work work = both(row);
  Html stage = tag("span", {{"class", "name"}}, row.stage);
  if (!row.kind.empty() && row.kind != row.stage) stage += tag("span", {{"class", "under"}}, row.kind);
  return {stage,
          milliseconds(row.forward.seconds),
          milliseconds(row.backward.seconds),
          share_cell(row, all),
          text::fixed(row.forward.flops / 1e6, 1),
          text::fixed(row.backward.flops / 1e6, 1),
          work.seconds > 0 ? text::fixed(work.flops / work.seconds / 1e9, 1) : "–",
          megabytes(row.kept),
          megabytes(row.parameters)};
}

// What the machine could do, beside what it did.
void compare(std::vector<Html>& cells, double least, double seconds, const std::string& bound) {
  Html best = least > 0 ? milliseconds(least) : "–";
  if (least > 0 && !bound.empty()) best += tag("span", {{"class", "under"}}, bound);
  cells.push_back(best);
  cells.push_back(least > 0 && seconds > 0 ? share(least / seconds) : "–");
}

std::vector<std::vector<Html>> all_cells(const std::vector<CostRow>& rows, const trace::Machine& machine) {
  CostRow sum = total(rows);
  sum.stage = "Sum";
  Work all = both(sum);
  double least = 0;
  std::vector<std::vector<Html>> out;
  for (const CostRow& row : rows) {
    Work work = both(row);
    out.push_back(cells(row, all));
    if (machine.known()) compare(out.back(), work.least(machine), work.seconds, bound(work, machine));
    least += work.least(machine);
  }
  out.push_back(cells(sum, all));
  if (machine.known()) compare(out.back(), least, all.seconds, "");
  return out;
}

std::string finding(const std::vector<CostRow>& rows, const Work& all) {
  auto slower = [](const CostRow& a, const CostRow& b) { return both(a).seconds < both(b).seconds; };
  const CostRow& slowest = *std::max_element(rows.begin(), rows.end(), slower);
  return concat("A step takes ", number(1e3 * all.seconds), " ms without the optimizer; ", slowest.stage,
                " takes ", share(both(slowest).seconds / all.seconds), " of it.");
}

std::string peak(const trace::Machine& machine) {
  return concat(
      "Measured on this machine before the training: ", text::fixed(machine.flops / 1e9, 0),
      " GFLOP/s in a large matrix product, ", text::fixed(machine.bytes / 1e9, 1),
      " GB/s in a large copy. “At best” is the longer of the times that these would take for the arithmetic "
      "and for the bytes of a stage, forward and backward; data in a cache, and Winograd's algorithm, "
      "which saves arithmetic, can beat it.");
}

}  // namespace

Html cost_view(const RunData& run) {
  auto rows = cost_rows(run.record);
  Work all = both(total(rows));
  if (rows.empty() || all.seconds <= 0)
    return nothing_kept("The run has no record.json, the record of a step of the training.");
  std::vector<Html> head = {"Stage",          "Forward ms", "Backward ms", "Share",    "MFLOP forward",
                            "MFLOP backward", "GFLOP/s",    "Output MB",   "Param. MB"};
  if (run.machine.known()) head.insert(head.end(), {"At best ms", "Reached"});
  Html out = tag("p", {{"class", "finding"}}, finding(rows, all));
  out += tag("p", {}, "Medians over the first steps of the training, a batch of ", run.settings.batch_size,
             " each. The bars show forward and then backward as shares of the step.");
  if (run.machine.known()) out += tag("p", {}, peak(run.machine));
  else out += nothing_kept("What the machine can do was not measured, so there is nothing to compare with.");
  return out += table(head, all_cells(rows, run.machine),
                      {.caption = "Cost of a step, by stage",
                       .numbers = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
                       .sum = true});
}

}  // namespace espalier::view
