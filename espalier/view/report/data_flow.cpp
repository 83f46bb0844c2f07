#include <espalier/view/chart.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

// "[64, 32, 32, 32]" over "64 batch × 32 channels × 32 height × 32 width".
Html shape_cell(const Reading& reading, const Shape& shape, Role role) {
  auto names = reading.dimensions(shape, role);
  std::string words;
  for (size_t i = 0; i < shape.size(); ++i)
    words += concat(i == 0 ? "" : " × ", shape[i], names[i].empty() ? "" : "\u00a0", names[i]);
  if (shape.empty()) words = "one number";
  return tag("span", {{"class", "shape"}}, to_string(shape)) += tag("span", {{"class", "under dims"}}, words);
}

Html stage_cell(const FlowRow& row) {
  Html out = tag("span", {{"class", "name"}}, row.stage);
  if (row.kind.empty() || row.kind == row.stage) return out;
  return out += tag("span", {{"class", "under"}}, row.kind);
}

Html what_cell(const FlowRow& row) {
  Html out = row.what;
  if (row.settings.empty() || row.what.find(row.settings) != row.what.npos) return out;
  return out += tag("span", {{"class", "under code"}}, row.settings);
}

}  // namespace

Html data_flow_view(const RunData& run) {
  if (run.record.calls.empty())
    return nothing_kept("The run has no record.json, the record of a step of the training.");
  Reading reading(run.record);
  std::vector<std::vector<Html>> rows;
  for (const FlowRow& row : flow(run.record)) {
    bool input = row.call < 0;
    rows.push_back({stage_cell(row), input ? Html() : shape_cell(reading, row.in, row.in_role),
                    input ? Html("a batch of the training data") : what_cell(row),
                    shape_cell(reading, row.out, row.out_role)});
  }
  return tag("p", {{"class", "lead"}},
             "What a batch goes through, stage by stage: layers, and the operations that a forward calls "
             "between them.") += table({"Stage", "Goes in", "What happens", "Comes out"}, rows,
                                       {.caption = "Data flow of one batch"});
}

}  // namespace espalier::view
