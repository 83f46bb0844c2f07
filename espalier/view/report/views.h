#pragma once

#include <espalier/view/html.h>
#include <espalier/view/run_data.h>

// The views of a page, a source file each.
namespace espalier::view {

Html structure_view(const RunData& run);
Html data_flow_view(const RunData& run);
Html training_view(const RunData& run);
Html parameters_view(const RunData& run);
Html cost_view(const RunData& run);
Html prediction_view(const RunData& run);
Html gradients_view(const RunData& run);
Html mistakes_view(const RunData& run);
Html quiz_view(const RunData& run);

// What a view says in place of what the run did not keep.
inline Html nothing_kept(const std::string& why) { return tag("p", {{"class", "absent"}}, why); }

}  // namespace espalier::view
