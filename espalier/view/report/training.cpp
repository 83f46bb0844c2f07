#include <espalier/view/report/views.h>

namespace espalier::view {
Html training_view(const RunData&) { return nothing_kept("To come."); }
}  // namespace espalier::view
