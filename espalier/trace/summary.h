#pragma once

#include <string>

#include <espalier/trace/record.h>
#include <espalier/trace/structure.h>

namespace espalier::trace {

// A table of a model's modules: output shapes, parameters (a shared one once), FLOPs (a multiply-add is two),
// and what they need of memory. `record` is of a forward of the model, also by shapes alone; what ran outside
// of it, such as a loss, is left out.
std::string summary(const Structure& model, const Record& record);

}  // namespace espalier::trace
