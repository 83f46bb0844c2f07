#pragma once

#include "runs.h"

namespace espalier::cli {

// The list of runs, each with a box to choose it for comparison.
std::string list_page(const Runs& runs);
// Runs beside each other: charts, last figures, and the settings in which they differ. Four at most.
std::string comparison_page(const Runs& runs, const std::vector<std::string>& names);

}  // namespace espalier::cli
