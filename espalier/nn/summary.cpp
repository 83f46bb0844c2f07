#include <espalier/nn/inspect.h>
#include <espalier/nn/structure.h>
#include <espalier/trace/summary.h>

namespace espalier::nn {

std::string summary(ModuleRef model, Run run, const Shape& input, const InputOptions& options) {
  return trace::summary(structure(model), trace_shapes(model, run, input, options));
}

}  // namespace espalier::nn
