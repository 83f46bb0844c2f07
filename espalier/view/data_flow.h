#pragma once

#include <string>
#include <vector>

#include <espalier/trace/record.h>
#include <espalier/view/explain.h>

namespace espalier::view {

// A stage that data goes through, in words.
struct FlowRow {
  std::string stage = {};     // "conv"; "input" stands before the first
  std::string kind = {};      // "Conv2d"
  std::string settings = {};  // as printed
  std::string what = {};      // "32 filters of 3×3 slide over 3 channels"
  Shape in = {}, out = {};
  Role in_role = Role::inner, out_role = Role::inner;
  int64_t call = -1;  // its number in the record; -1 for the input
};

// A row per stage of `record`; functional operations of a forward (x + y, relu(x)) have rows too.
std::vector<FlowRow> flow(const trace::Record& record);

// The same as a table of text.
std::string data_flow(const trace::Record& record);

// A row per stage: its output's shape, mean, spread (standard deviation), extremes and share of zeros. Needs
// a record of Level::stats.
std::string prediction_trace(const trace::Record& record);

// The name of a stage in a table: the module's path, or the operation's name under its module's path.
std::string stage_name(const trace::Call& call);

}  // namespace espalier::view
