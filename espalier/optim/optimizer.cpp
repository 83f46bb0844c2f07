#include <espalier/optim/optimizer.h>

#include <algorithm>
#include <cstring>
#include <set>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>

namespace espalier::optim {

ParamGroup::ParamGroup(nn::Parameters parameters, Settings settings)
    : params(parameters), names(parameters.names), settings(std::move(settings)), state(params.size()) {}

Optimizer::Optimizer(const Rule& rule, std::vector<ParamGroup> groups, Settings defaults)
    : body_(Shared<Body>::make(Body{rule, std::move(defaults), {}})) {
  rule.check(kind(), body_->defaults);
  for (auto& group : groups) add_param_group(std::move(group));
  size_t count = 0;
  for (auto& group : param_groups()) count += group.params.size();
  require<ValueError>(count > 0, kind(), ": there are no parameters to optimise");
}

Optimizer::Body& Optimizer::body() const {
  require<ValueError>(defined(),
                      "the optimizer is undefined: make one, such as optim::Adam(model.parameters())");
  return *body_;
}

const char* Optimizer::kind() const { return body().rule.kind; }
std::vector<ParamGroup>& Optimizer::param_groups() { return body().groups; }
const std::vector<ParamGroup>& Optimizer::param_groups() const { return body().groups; }

void Optimizer::zero_grad() {
  for (auto& group : param_groups()) {
    for (auto& p : group.params) p.body()->grad = Tensor();
  }
}

void Optimizer::step() {
  if (shapes_only()) return;
  for (auto& group : param_groups()) body().rule.update(group);
}

namespace {

void check_parameter(const char* kind, const std::string& name, const Tensor& p) {
  require<ValueError>(p.defined(), kind, ": parameter ", name, " is undefined");
  require<DTypeError>(p.is_floating_point(), kind, ": parameter ", name, " is ", p.dtype(),
                      "; only floating point tensors can be optimised");
  require<GradError>(p.is_leaf(), kind, ": parameter ", name,
                     " is the result of a computation; optimise the tensors ",
                     "it was computed from, or its detach()");
  require<ValueError>(p.array().is_dense(), kind, ": the elements of parameter ", name,
                      " lie apart in memory (strides ", p.strides(), "); optimise a contiguous() copy");
}

// Names for parameters that have none; where `taken` has one of the names, the group's number goes before all
// of them (two layers that are groups of their own each have a "weight").
void name_parameters(ParamGroup& group, size_t number, const std::set<std::string>& taken) {
  for (size_t i = group.names.size(); i < group.params.size(); ++i) {
    group.names.push_back(std::to_string(taken.size() + i));
  }
  auto is_taken = [&](const std::string& name) { return taken.count(name) > 0; };
  if (std::none_of(group.names.begin(), group.names.end(), is_taken)) return;
  for (auto& name : group.names) name = concat("group.", number, ".", name);
}

}  // namespace

void Optimizer::add_param_group(ParamGroup group) {
  Settings settings = body().defaults;
  settings.update(group.settings);
  body().rule.check(kind(), settings);
  group.settings = std::move(settings);

  std::set<const TensorBody*> tensors;
  std::set<std::string> names;
  for (auto& other : param_groups()) {
    for (auto& p : other.params) tensors.insert(p.body());
    names.insert(other.names.begin(), other.names.end());
  }
  name_parameters(group, param_groups().size(), names);
  for (size_t i = 0; i < group.params.size(); ++i) {
    check_parameter(kind(), group.names[i], group.params[i]);
    require<ValueError>(names.insert(group.names[i]).second, kind(), ": two parameters are named ",
                        group.names[i]);
    require<ValueError>(tensors.insert(group.params[i].body()).second, kind(), ": parameter ", group.names[i],
                        " is given twice");
  }
  param_groups().push_back(std::move(group));
}

namespace {

bool lies_like(const Array& parameter, const Tensor& x) {
  return x.dtype() == parameter.dtype && x.strides() == parameter.strides;
}

// The values of `x`, in the dtype and memory order of a parameter.
Tensor laid_out_like(const Array& parameter, const Tensor& x) {
  NoGrad guard;
  Tensor copy(Array::empty_like(parameter));
  return copy.copy_(x);
}

Tensor zeros_like(const Array& parameter) {
  Array zeros = Array::empty_like(parameter);
  if (!nothing_to_do(zeros)) std::memset(zeros.data(), 0, static_cast<size_t>(zeros.bytes()));
  return Tensor(zeros);
}

}  // namespace

const Array& gradient_like(const Tensor& parameter, std::vector<Tensor>& converted) {
  const Tensor& grad = parameter.body()->grad;
  if (lies_like(parameter.array(), grad)) return grad.array();
  return converted.emplace_back(laid_out_like(parameter.array(), grad)).array();
}

void* buffer(ParamState& state, size_t i, const Array& parameter) {
  if (state.buffers.size() <= i) state.buffers.resize(i + 1);
  Tensor& buffer = state.buffers[i];
  if (!buffer.defined()) buffer = zeros_like(parameter);
  else if (!lies_like(parameter, buffer)) buffer = laid_out_like(parameter, buffer);
  return buffer.array().data();
}

void check_at_least_zero(const char* kind, const Settings& settings,
                         std::initializer_list<const char*> names) {
  for (const char* name : names) {
    require<ValueError>(settings[name] >= 0, kind, ": ", name, " must be 0 or more, got ", settings[name]);
  }
}

}  // namespace espalier::optim
