#pragma once

#include <string>

#include <espalier/nn/module_ref.h>
#include <espalier/trace/options.h>
#include <espalier/trace/record.h>

// Looking at a model by what it does with an input.
namespace espalier::nn {

// Runs a module of a known type, behind which its type is not needed.
using Run = Tensor (*)(void* module, const Tensor& x);

struct Traced {
  Tensor output;
  trace::Record record;
};

// What the model does with x, without the tape. Parameters and buffers stand in the record under their names.
Traced trace(ModuleRef model, Run run, const Tensor& x, const trace::Options& options = {});

struct InputOptions {
  DType dtype = float32;
};

// The same for shapes alone: no data, no memory, the model stays as it is.
trace::Record trace_shapes(ModuleRef model, Run run, const Shape& input, const InputOptions& options = {});

// The shape of the output for an input of a shape, found without data or memory. Throws the error that a real
// run would.
Shape check(ModuleRef model, Run run, const Shape& input, const InputOptions& options = {});

// A table of the model's modules: output shapes, parameters (a shared one once), FLOPs (a multiply-add is
// two), and what they need of memory for this input.
std::string summary(ModuleRef model, Run run, const Shape& input, const InputOptions& options = {});

}  // namespace espalier::nn
