#pragma once

#include <espalier/train/run.h>
#include <espalier/view/run_data.h>

namespace espalier::train {

// What the folder of a run holds, for view::report. Throws FileError for what is damaged; what is missing is
// left out.
view::RunData run_data(const Run& run);

}  // namespace espalier::train
