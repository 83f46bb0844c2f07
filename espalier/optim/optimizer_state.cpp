#include <algorithm>
#include <map>
#include <set>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>
#include <espalier/optim/optimizer.h>
#include <espalier/optim/state_reader.h>

namespace espalier::optim {
namespace {

using io::Tree;

bool is_flag(std::string_view setting) {
  return setting == "amsgrad" || setting == "maximize" || setting == "nesterov";
}

// Whether a saved group may lack the setting: old versions of PyTorch don't have all flags.
bool is_optional(std::string_view setting) { return is_flag(setting) || setting == "initial_lr"; }

bool are_numbered(const std::vector<std::string>& names) {
  return std::ranges::all_of(
      names, [](const std::string& n) { return n.find_first_not_of("0123456789") == n.npos; });
}

Tree saved_group(const ParamGroup& group, const Rule& rule, int64_t first) {
  Tree out = Tree::dict();
  if (!are_numbered(group.names)) out.set("param_names", group.names);
  for (auto& [name, value] : group.settings) {
    if (name == "beta1") out.set("betas", Tree::tuple({value, group["beta2"]}));
    else if (is_flag(name)) out.set(name, value != 0);
    else if (name != "beta2" && name != "initial_lr") out.set(name, value);
  }
  Tree constants = rule.constants();
  for (auto& [name, value] : constants.entries()) out.set(name, value);
  if (group.settings.contains("initial_lr")) out.set("initial_lr", group["initial_lr"]);
  Tree params = Tree::list();
  for (size_t i = 0; i < group.params.size(); ++i) params.push_back(first + static_cast<int64_t>(i));
  out.set("params", std::move(params));
  return out;
}

Tree saved_parameter(const ParamState& state, const Rule& rule, const std::vector<std::string>& buffers) {
  Tree out = Tree::dict();
  if (rule.counts_steps && state.step > 0) {
    Array step = Array::empty({}, DType::float32);
    *step.data<float>() = static_cast<float>(state.step);
    out.set("step", step);
  }
  for (size_t b = 0; b < std::min(buffers.size(), state.buffers.size()); ++b) {
    out.set(buffers[b], state.buffers[b]);
  }
  return out;
}

// Reads PyTorch's form into copies of an optimizer's groups.
class Loader {
 public:
  Loader(const Tree& saved, const Rule& rule) : rule_(rule), reader_(rule.kind) {
    state_ = reader_.dict(saved, "state");
    groups_ = reader_.list(saved, "param_groups");
  }

  void read(std::vector<ParamGroup>& groups) {
    if (groups_ && groups_->size() != groups.size()) {
      reader_.problem(
          concat("saved with ", groups_->size(), " groups of parameters, here are ", groups.size()));
    } else if (groups_ && state_) {
      for (size_t g = 0; g < groups.size(); ++g)
        read_group(groups[g], groups_->items()[g], concat("param_groups[", g, "]"));
      report_unused();
    }
    reader_.finish();
  }

 private:
  void read_group(ParamGroup& group, const Tree& saved, const std::string& where) {
    read_settings(group, saved, where);
    const Tree* ids = reader_.list(saved, "params", where);
    if (!ids) return;
    if (ids->size() != group.params.size()) {
      return reader_.problem(
          concat(where, ": saved with ", ids->size(), " parameters, here are ", group.params.size()));
    }
    std::vector<size_t> order = places(group.names, saved);
    for (size_t i = 0; i < group.params.size(); ++i) {
      const Tree& id = ids->items()[order[i]];
      if (id.is(Tree::Kind::integer)) read_parameter(group, i, id.integer());
      else reader_.problem(concat(where, ".params: holds what is no number"));
    }
  }

  void read_settings(ParamGroup& group, const Tree& saved, const std::string& where) {
    std::vector<double> betas;
    if (group.settings.contains("beta1")) betas = reader_.numbers(saved, "betas", where);
    betas.resize(2);
    if (saved.contains("initial_lr")) group.settings.add("initial_lr", 0);
    for (auto& [name, value] : Settings(group.settings)) {
      if (name == "beta1" || name == "beta2") group[name] = betas[name == "beta2"];
      else if (saved.contains(name) || !is_optional(name)) group[name] = reader_.number(saved, name, where);
      else if (is_flag(name)) group[name] = 0;
    }
    const char* decoupled = "decoupled_weight_decay";
    Tree constants = rule_.constants();
    const Tree *mine = constants.find(decoupled), *theirs = saved.find(decoupled);
    if (mine && theirs && theirs->is(Tree::Kind::boolean) && mine->boolean() != theirs->boolean()) {
      reader_.problem(concat(where, ": it was saved by ", theirs->boolean() ? "AdamW" : "Adam"));
    }
    try {
      rule_.check(rule_.kind, group.settings);
    } catch (const ValueError& e) {
      reader_.problem(concat(where, ": ", e.what()));
    }
  }

  // Where each parameter stands in a saved group: by name, if the same names were saved.
  static std::vector<size_t> places(const std::vector<std::string>& names, const Tree& saved) {
    std::map<std::string, size_t> by_name;
    if (const Tree* theirs = saved.find("param_names"); theirs && theirs->is(Tree::Kind::list)) {
      for (auto& name : theirs->items()) {
        if (name.is(Tree::Kind::text)) by_name.emplace(name.text(), by_name.size());
      }
    }
    bool named = by_name.size() == names.size() &&
                 std::ranges::all_of(names, [&](auto& n) { return by_name.count(n) > 0; });
    std::vector<size_t> out;
    for (size_t i = 0; i < names.size(); ++i) out.push_back(named ? by_name[names[i]] : i);
    return out;
  }

  void read_parameter(ParamGroup& group, size_t i, int64_t id) {
    used_.insert(id);
    group.state[i] = {};
    const Tree* saved = state_->find(id);
    if (!saved) return;  // it has made no step
    std::string where = concat("state[", id, "] of ", group.names[i]);
    if (!saved->is(Tree::Kind::dict)) return reader_.problem(where + ": it is no dictionary");
    if (rule_.counts_steps) group.state[i].step = reader_.count(*saved, "step", where);
    std::vector<std::string> names = rule_.buffers(group.settings);
    for (auto& name : names) {
      const Tree* buffer = saved->find(name);
      if (buffer && buffer->is(Tree::Kind::none)) break;
      group.state[i].buffers.push_back(reader_.tensor(*saved, name, where, group.params[i].shape()));
    }
    for (auto& [key, value] : saved->entries()) {
      bool known = key == Tree::Key("step") || value.is(Tree::Kind::none) ||
                   std::ranges::count(names, Tree::key_text(key)) > 0;
      if (!known) reader_.problem(concat("unexpected: ", where, ".", Tree::key_text(key)));
    }
  }

  void report_unused() {
    for (auto& [key, value] : state_->entries()) {
      if (key.is_text || !used_.count(key.number))
        reader_.problem(concat("unexpected: state[", Tree::key_text(key), "]"));
    }
  }

  const Rule& rule_;
  StateReader reader_;
  const Tree *state_, *groups_;
  std::set<int64_t> used_;  // keys of the saved state that belong to parameters here
};

Tensor own_copy(const Tensor& saved, const Tensor& parameter) {
  Tensor copy(Array::empty_like(parameter.array()));
  return copy.copy_(saved);
}

}  // namespace

io::Tree Optimizer::state_dict() const {
  const Rule& rule = body().rule;
  Tree state = Tree::dict(), groups = Tree::list();
  int64_t id = 0;
  for (const ParamGroup& group : param_groups()) {
    groups.push_back(saved_group(group, rule, id));
    std::vector<std::string> buffers = rule.buffers(group.settings);
    for (const ParamState& s : group.state) {
      Tree saved = saved_parameter(s, rule, buffers);
      if (saved.size() > 0) state.set(id, std::move(saved));
      ++id;
    }
  }
  return {{"state", std::move(state)}, {"param_groups", std::move(groups)}};
}

void Optimizer::load_state_dict(const io::Tree& saved) {
  std::vector<ParamGroup> groups = param_groups();
  Loader(saved, body().rule).read(groups);
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
