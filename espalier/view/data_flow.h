#pragma once

#include <string>

#include <espalier/trace/record.h>

namespace espalier::view {

// A row per stage of `record`: what goes in, what happens, what comes out, with shapes and what the
// dimensions mean. Functional operations of a forward (x + y, relu(x)) have rows too.
std::string data_flow(const trace::Record& record);

// A row per stage: its output's shape, mean, spread (standard deviation), extremes and share of zeros. Needs
// a record of Level::stats.
std::string prediction_trace(const trace::Record& record);

// The name of a stage in a table: the module's path, or the operation's name under its module's path.
std::string stage_name(const trace::Call& call);

}  // namespace espalier::view
