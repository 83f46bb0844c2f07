#include <iostream>

#include <espalier/core/error.h>
#include <espalier/espalier.h>

// What scripts/compare_checkpoints needs of Espalier beside the tool.
// go_on save FOLDER: saves a model with a tie in every form. go_on IN OUT: makes the steps that checkpoints
// of golden/make_checkpoints.py ask for, and saves what came of them in the same form.
using namespace espalier;

namespace {

optim::Optimizer make_optimizer(const std::string& kind, std::vector<optim::ParamGroup> groups) {
  if (kind == "SGD") return optim::SGD(std::move(groups), {.momentum = 0.1});
  if (kind == "Adam") return optim::Adam(std::move(groups));
  return optim::AdamW(std::move(groups));
}

optim::LRScheduler make_schedule(const io::Tree& saved, const optim::Optimizer& optimizer) {
  if (saved.contains("T_max")) return optim::CosineAnnealingLR(optimizer, 7);
  return optim::StepLR(optimizer, 7);
}

io::Tree go_on(const std::string& kind, const io::Tree& saved) {
  nn::Parameters parameters;
  for (auto& p : saved["parameters"].items()) {
    parameters.push_back(Tensor(p.array()).clone().requires_grad_());
  }
  std::vector<optim::ParamGroup> groups;
  for (auto& group : saved["optimizer"]["param_groups"].items()) {
    nn::Parameters in_group;
    for (auto& id : group["params"].items())
      in_group.push_back(parameters[static_cast<size_t>(id.integer())]);
    groups.emplace_back(in_group);
  }
  optim::Optimizer optimizer = make_optimizer(kind, groups);
  optim::LRScheduler schedule = make_schedule(saved["schedule"], optimizer);
  optimizer.load_state_dict(saved["optimizer"]);
  schedule.load_state_dict(saved["schedule"]);
  for (auto& step : saved["grads"].items()) {
    for (size_t i = 0; i < parameters.size(); ++i) parameters[i].set_grad(Tensor(step.items()[i].array()));
    optimizer.step();
    schedule.step();
  }
  return {{"epoch", saved["epoch"].integer() + static_cast<int64_t>(saved["grads"].size())},
          {"parameters", std::vector<Tensor>(parameters)},
          {"optimizer", optimizer.state_dict()},
          {"schedule", schedule.state_dict()}};
}

class Tied : public nn::Module<Tied> {
 public:
  Tied() { a.weight.tie(b.weight); }
  Tensor forward(const Tensor& x) { return bn(a(x) + b(x)); }

 private:
  nn::Linear a{2, 3, {.bias = false}}, b{2, 3};
  nn::BatchNorm1d bn{3};
  ESPALIER_FIELDS(Tied, a, b, bn)
};

void save_model(const std::string& folder) {
  Tied model;
  model.save(folder + "/tied.pt");
  model.save(folder + "/tied.safetensors");
  model.save(folder + "/tied.safetensors.index.json", {.max_shard_bytes = 32});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) return std::cerr << "usage: go_on IN OUT | save FOLDER\n", 2;
  if (std::string(argv[1]) == "save") return save_model(argv[2]), 0;
  io::Tree in = load(argv[1]), out = io::Tree::dict();
  for (auto& [kind, saved] : in.entries()) out.set(kind, go_on(io::Tree::key_text(kind), saved));
  save(out, argv[2]);
} catch (const Error& e) {
  std::cerr << e.what() << "\n";
  return 1;
}
