#include <algorithm>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>
#include <espalier/optim/optimizer.h>
#include <espalier/optim/state_reader.h>

namespace espalier::optim {
namespace {

std::string group_key(size_t group, const std::string& setting) {
  return concat("group.", group, ".", setting);
}

Settings read_settings(StateReader& reader, const Rule& rule, const ParamGroup& group, size_t g) {
  Settings settings = group.settings;
  for (auto& [name, value] : group.settings) settings[name] = reader.value(group_key(g, name));
  try {
    rule.check(rule.kind, settings);
  } catch (const ValueError& e) {
    reader.problem(concat("group.", g, ": ", e.what()));
  }
  return settings;
}

// What is saved of parameter `i` of group `g`.
ParamState read_parameter(StateReader& reader, const Rule& rule, const ParamGroup& group, size_t g,
                          size_t i) {
  const std::string& name = group.names[i];
  auto in_group = static_cast<size_t>(reader.count(name + ".group"));
  if (in_group != g) reader.problem(concat(name, ": saved in group ", in_group, ", here in group ", g));
  ParamState state{reader.count(name + ".step"), {}};
  if (state.step == 0) return state;
  for (auto& buffer : rule.buffers(group.settings)) {
    state.buffers.push_back(reader.tensor(name + "." + buffer, group.params[i].shape()));
  }
  return state;
}

Tensor own_copy(const Tensor& saved, const Tensor& parameter) {
  Tensor copy(Array::empty_like(parameter.array()));
  return copy.copy_(saved);
}

}  // namespace

StateDict Optimizer::state_dict() const {
  StateDict out{kind(), {}, {}};
  for (size_t g = 0; g < param_groups().size(); ++g) {
    const ParamGroup& group = param_groups()[g];
    for (auto& [name, value] : group.settings) out.values.emplace_back(group_key(g, name), value);
    auto buffers = body().rule.buffers(group.settings);
    for (size_t i = 0; i < group.params.size(); ++i) {
      const ParamState& state = group.state[i];
      out.values.emplace_back(group.names[i] + ".group", static_cast<double>(g));
      out.values.emplace_back(group.names[i] + ".step", static_cast<double>(state.step));
      for (size_t b = 0; b < std::min(buffers.size(), state.buffers.size()); ++b) {
        out.tensors.emplace_back(group.names[i] + "." + buffers[b], state.buffers[b]);
      }
    }
  }
  return out;
}

void Optimizer::load_state_dict(const StateDict& saved) {
  StateReader reader(saved, kind());
  std::vector<ParamGroup> groups = param_groups();
  for (size_t g = 0; g < groups.size(); ++g) {
    groups[g].settings = read_settings(reader, body().rule, groups[g], g);
    for (size_t i = 0; i < groups[g].params.size(); ++i) {
      groups[g].state[i] = read_parameter(reader, body().rule, groups[g], g, i);
    }
  }
  reader.finish();
  NoGrad guard;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (size_t i = 0; i < groups[g].params.size(); ++i) {
      for (auto& buffer : groups[g].state[i].buffers) buffer = own_copy(buffer, groups[g].params[i]);
    }
    param_groups()[g].settings = std::move(groups[g].settings);
    param_groups()[g].state = std::move(groups[g].state);
  }
}

}  // namespace espalier::optim
