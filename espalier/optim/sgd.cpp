#include <espalier/optim/sgd.h>

#include <espalier/core/error.h>
#include <espalier/kernels/optim.h>
#include <espalier/optim/sweep.h>

namespace espalier::optim {
namespace {

void update(ParamGroup& group) {
  kernels::SgdPart part;
  part.lr = group["lr"];
  part.momentum = group["momentum"];
  part.weight_decay = group["weight_decay"];
  part.nesterov = group["nesterov"] != 0;
  part.maximize = group["maximize"] != 0;
  double dampening = group["dampening"];
  Sweep<kernels::SgdPart> sweep(group);
  for (size_t i = 0; i < group.params.size(); ++i) {
    const Tensor& p = group.params[i];
    if (!has_grad(p)) continue;
    ParamState& state = group.state[i];
    kernels::SgdPart& added = sweep.add(part, p);
    if (part.momentum == 0) continue;
    added.dampening = state.buffers.empty() ? 0 : dampening;  // the buffer starts as the whole gradient
    added.buffer = buffer(state, 0, p.array());
  }
  sweep.run(kernels::sgd);
}

std::vector<std::string> buffers(const Settings& settings) {
  if (settings["momentum"] == 0) return {};
  return {"momentum_buffer"};
}

void check(const char* kind, const Settings& s) {
  check_at_least_zero(kind, s, {"lr", "momentum", "weight_decay"});
  require<ValueError>(s["nesterov"] == 0 || (s["momentum"] > 0 && s["dampening"] == 0), kind,
                      ": Nesterov momentum needs a momentum above 0 and no dampening, got momentum ",
                      s["momentum"], " and dampening ", s["dampening"]);
}

io::Tree constants() { return {{"foreach", {}}, {"differentiable", false}, {"fused", {}}}; }

constexpr Rule kRule{"SGD", update, buffers, check, false, constants};

Settings settings(const SGDOptions& o) {
  return {{"lr", o.lr},
          {"momentum", o.momentum},
          {"dampening", o.dampening},
          {"weight_decay", o.weight_decay},
          {"nesterov", o.nesterov},
          {"maximize", o.maximize}};
}

}  // namespace

SGD::SGD(nn::Parameters parameters, const SGDOptions& options)
    : SGD({ParamGroup(std::move(parameters))}, options) {}
SGD::SGD(std::vector<ParamGroup> groups, const SGDOptions& options)
    : Optimizer(kRule, std::move(groups), settings(options)) {}

}  // namespace espalier::optim
