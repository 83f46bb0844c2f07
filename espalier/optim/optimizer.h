#pragma once

#include <string>
#include <vector>

#include <espalier/io/tree.h>
#include <espalier/nn/parameters.h>
#include <espalier/optim/settings.h>

namespace espalier::optim {

// What is kept of one parameter from step to step.
struct ParamState {
  int64_t step = 0;             // updates made, where the rule counts them
  std::vector<Tensor> buffers;  // in the order of Rule::buffers; made when first needed
};

// Parameters that share settings.
struct ParamGroup {
  ParamGroup(nn::Parameters parameters, Settings settings = {});

  // group["lr"] = 0.01
  double& operator[](std::string_view name) { return settings[name]; }
  double operator[](std::string_view name) const { return settings[name]; }

  std::vector<Tensor> params;
  std::vector<std::string> names;
  Settings settings;
  std::vector<ParamState> state;
};

// How a kind of optimizer works: Adam, say. A new one is a function that updates a group, and a class derived
// from Optimizer that has nothing but a constructor.
struct Rule {
  const char* kind;
  // Updates the parameters of a group that have gradients.
  void (*update)(ParamGroup& group);
  // Names of what is kept of each parameter under these settings.
  std::vector<std::string> (*buffers)(const Settings& settings);
  // Throws ValueError for settings out of range.
  void (*check)(const char* kind, const Settings& settings);
  bool counts_steps;
  // What PyTorch's groups hold beside the settings: a dictionary.
  io::Tree (*constants)();
};

// Changes parameters by their gradients. A handle: copies are the same optimizer.
class Optimizer {
 public:
  Optimizer() = default;
  bool defined() const { return body_ != nullptr; }
  const char* kind() const;

  // Drops all gradients.
  void zero_grad();
  // Makes one update. Parameters without a gradient stay as they are.
  void step();

  std::vector<ParamGroup>& param_groups();
  const std::vector<ParamGroup>& param_groups() const;
  // Settings that `group` doesn't give are the optimizer's own.
  void add_param_group(ParamGroup group);

  // In PyTorch's form: {"state": {0: {"exp_avg": …}}, "param_groups": [{"lr": …, "params": [0]}]}. Tensors
  // share memory with the optimizer.
  io::Tree state_dict() const;
  // Also takes what PyTorch saved. Parameters are found by their names where the same were saved, else by
  // their places. Throws one StateError that lists all that does not fit, before anything is changed.
  void load_state_dict(const io::Tree& state);

 protected:
  Optimizer(const Rule& rule, std::vector<ParamGroup> groups, Settings defaults);

 private:
  struct Body {
    Rule rule;
    Settings defaults;
    std::vector<ParamGroup> groups;
  };
  Body& body() const;

  Shared<Body> body_;
};

// ---- for rules

inline bool has_grad(const Tensor& parameter) { return parameter.body()->grad.defined(); }
// A parameter's gradient in the parameter's own dtype and memory order: itself, or a copy that `converted`
// keeps.
const Array& gradient_like(const Tensor& parameter, std::vector<Tensor>& converted);
// The memory of buffer `i` of a parameter: zeros when it is first asked for, converted when the parameter has
// been.
void* buffer(ParamState& state, size_t i, const Array& parameter);
// Throws ValueError unless the named settings are 0 or more.
void check_at_least_zero(const char* kind, const Settings& settings,
                         std::initializer_list<const char*> names);

}  // namespace espalier::optim
