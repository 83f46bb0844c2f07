#include <espalier/view/report/views.h>

namespace espalier::view {
Html data_flow_view(const RunData&) { return nothing_kept("To come."); }
}  // namespace espalier::view
