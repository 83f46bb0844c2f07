#pragma once

#include <string>
#include <vector>

#include <espalier/autograd/recorder.h>
#include <espalier/nn/module_ref.h>
#include <espalier/trace/steps.h>

namespace espalier::train {

// Looks at one step of a training: sizes of gradients and updates by module, units that are dead. It is the
// recorder of the forward, is then told when there are gradients and when the optimizer has stepped:
//   Watch watch(model);
//   { RecorderScope scope(&watch); loss = …; }
//   loss.backward();       watch.gradients();
//   optimizer.step();      watch.updates();
class Watch final : public Recorder {
 public:
  explicit Watch(nn::ModuleRef model);

  void gradients();  // keeps a copy of the parameters until updates()
  void updates();
  // What was seen since the last take.
  void take(trace::Step& step);

  void enter(const Scope& scope, std::span<const Tensor> inputs) override;
  void leave(std::span<const Tensor> outputs) override;
  int64_t operation(const char* op, const Inputs& inputs, const Tensor& output, Attrs attrs) override;
  void backward_begin(const char*, int64_t) override {}
  void backward_end(const char*, int64_t, const Tensor&) override {}

 private:
  struct Layer {
    std::string name;
    std::vector<Tensor> parameters, before;
  };
  struct Open {
    std::string path, kind;
  };

  std::vector<Layer> layers_;
  std::vector<Open> open_;  // modules that run
  std::vector<trace::LayerStep> seen_;
  std::vector<trace::UnitsStep> units_;
};

// How many of the units of `output` [N, C, …] are 0 for every example and place.
int64_t dead_units(const Tensor& output);

}  // namespace espalier::train
