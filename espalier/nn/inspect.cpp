#include <espalier/nn/inspect.h>

#include <espalier/autograd/grad_mode.h>
#include <espalier/trace/tracer.h>

namespace espalier::nn {

Traced trace(ModuleRef model, Run run, const Tensor& x, const trace::Options& options) {
  trace::Tracer tracer(options);
  for (const auto& [name, p] : model.named_parameters()) tracer.name(p, name);
  for (const auto& [name, b] : model.named_buffers()) tracer.name(b, name);
  NoGrad no_grad;
  RecorderScope scope(&tracer);
  Tensor output = run(model.address(), x);
  return {output, tracer.take()};
}

trace::Record trace_shapes(ModuleRef model, Run run, const Shape& input, const InputOptions& options) {
  ShapesOnly scope;
  return trace(model, run, Tensor(Array::empty(input, options.dtype)), {.level = trace::Level::shapes})
      .record;
}

Shape check(ModuleRef model, Run run, const Shape& input, const InputOptions& options) {
  ShapesOnly scope;
  NoGrad no_grad;
  return run(model.address(), Tensor(Array::empty(input, options.dtype))).shape();
}

}  // namespace espalier::nn
