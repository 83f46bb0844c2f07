#include <espalier/optim/adam.h>

#include <cmath>

#include <espalier/core/error.h>
#include <espalier/kernels/optim.h>
#include <espalier/optim/sweep.h>

namespace espalier::optim {
namespace {

kernels::AdamPart common_part(const ParamGroup& group, bool decoupled) {
  double decay = group["weight_decay"];
  kernels::AdamPart part;
  part.beta1 = group["beta1"];
  part.beta2 = group["beta2"];
  part.eps = group["eps"];
  part.weight_decay = decoupled ? 0 : decay;
  part.shrink = decoupled ? 1 - group["lr"] * decay : 1;
  part.amsgrad = group["amsgrad"] != 0;
  part.maximize = group["maximize"] != 0;
  return part;
}

void update(ParamGroup& group, bool decoupled) {
  kernels::AdamPart part = common_part(group, decoupled);
  double lr = group["lr"];
  Sweep<kernels::AdamPart> sweep(group);
  int64_t step = -1;  // that `part` was made for
  for (size_t i = 0; i < group.params.size(); ++i) {
    const Tensor& p = group.params[i];
    if (!has_grad(p)) continue;
    ParamState& state = group.state[i];
    if (++state.step != step) {
      step = state.step;
      part.step_size = lr / (1 - std::pow(part.beta1, step));
      part.bias2_sqrt = std::sqrt(1 - std::pow(part.beta2, step));
    }
    kernels::AdamPart& added = sweep.add(part, p);
    added.exp_avg = buffer(state, 0, p.array());
    added.exp_avg_sq = buffer(state, 1, p.array());
    if (part.amsgrad) added.max_exp_avg_sq = buffer(state, 2, p.array());
  }
  sweep.run(kernels::adam);
}

std::vector<std::string> buffers(const Settings& settings) {
  if (settings["amsgrad"] != 0) return {"exp_avg", "exp_avg_sq", "max_exp_avg_sq"};
  return {"exp_avg", "exp_avg_sq"};
}

void check(const char* kind, const Settings& s) {
  check_at_least_zero(kind, s, {"lr", "eps", "weight_decay", "beta1", "beta2"});
  require<ValueError>(s["beta1"] < 1 && s["beta2"] < 1, kind, ": betas must be below 1, got ", s["beta1"],
                      " and ", s["beta2"]);
}

io::Tree constants(bool decoupled) {
  return {{"foreach", {}},
          {"capturable", false},
          {"differentiable", false},
          {"fused", {}},
          {"decoupled_weight_decay", decoupled}};
}

constexpr Rule kAdam{"Adam",  [](ParamGroup& group) { update(group, false); },
                     buffers, check,
                     true,    [] { return constants(false); }};
constexpr Rule kAdamW{"AdamW", [](ParamGroup& group) { update(group, true); },
                      buffers, check,
                      true,    [] { return constants(true); }};

template <class Options>
Settings settings(const Options& o) {
  return {{"lr", o.lr},
          {"beta1", o.betas[0]},
          {"beta2", o.betas[1]},
          {"eps", o.eps},
          {"weight_decay", o.weight_decay},
          {"amsgrad", o.amsgrad},
          {"maximize", o.maximize}};
}

}  // namespace

Adam::Adam(nn::Parameters parameters, const AdamOptions& options)
    : Adam({ParamGroup(std::move(parameters))}, options) {}
Adam::Adam(std::vector<ParamGroup> groups, const AdamOptions& options)
    : Optimizer(kAdam, std::move(groups), settings(options)) {}

AdamW::AdamW(nn::Parameters parameters, const AdamWOptions& options)
    : AdamW({ParamGroup(std::move(parameters))}, options) {}
AdamW::AdamW(std::vector<ParamGroup> groups, const AdamWOptions& options)
    : Optimizer(kAdamW, std::move(groups), settings(options)) {}

}  // namespace espalier::optim
