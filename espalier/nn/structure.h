#pragma once

#include <espalier/nn/module_ref.h>
#include <espalier/trace/structure.h>

namespace espalier::nn {

// The tree of a model's modules as data.
trace::Structure structure(ModuleRef model);

}  // namespace espalier::nn
