#pragma once

#include <espalier/view/run_data.h>

#include "runs.h"

namespace espalier::cli {

// The list of runs, each with a box to choose it for comparison.
std::string list_page(const Runs& runs);
// Runs beside each other: charts, last figures, and the settings in which they differ. Four at most.
std::string comparison_page(const Runs& runs, const std::vector<std::string>& names);

// What a run under way adds to: its figures up to now, without what is kept at its end.
view::RunData live_data(const train::Run& run);

}  // namespace espalier::cli
