#pragma once

#include <string>

#include <espalier/view/run_data.h>

namespace espalier::view {

// What a run shows, in two sentences with its figures: how far it came and when; where the model's parameters
// and arithmetic are, and what it mistakes most. "" for a run without an epoch.
std::string key_insight(const RunData& run);

}  // namespace espalier::view
