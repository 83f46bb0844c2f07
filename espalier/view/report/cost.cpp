#include <espalier/view/report/views.h>

namespace espalier::view {
Html cost_view(const RunData&) { return nothing_kept("To come."); }
}  // namespace espalier::view
