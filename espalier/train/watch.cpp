#include <espalier/train/watch.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include <espalier/autograd/grad_mode.h>
#include <espalier/core/error.h>

namespace espalier::train {
namespace {

double norm_of(const std::vector<Tensor>& tensors) {
  double sum = 0;
  for (const Tensor& t : tensors) sum += std::pow(t.norm().item<double>(), 2);
  return std::sqrt(sum);
}

bool rectifies(std::string_view op) { return op == "relu" || op.ends_with("_relu"); }

// Goes through the places of an output in the order of memory where it can, and stops when every unit has
// been seen alive: mostly after a few places.
template <class T>
int64_t count_dead(const Array& a) {
  int64_t units = a.shape[1], alive = 0, places = a.numel() / std::max<int64_t>(units * a.shape[0], 1);
  std::vector<bool> seen(static_cast<size_t>(units));
  const T* data = a.data<T>();
  for (int64_t n = 0; n < a.shape[0]; ++n) {
    for (int64_t p = 0; p < places; ++p) {
      if (alive == units) return 0;
      const T* at = data + n * a.strides[0];
      int64_t rest = p;
      for (int d = a.rank() - 1; d > 1; rest /= a.shape[d--]) at += rest % a.shape[d] * a.strides[d];
      for (int64_t u = 0; u < units; ++u) {
        if (seen[u] || at[u * a.strides[1]] == T(0)) continue;
        seen[u] = true;
        ++alive;
      }
    }
  }
  return units - alive;
}

}  // namespace

int64_t dead_units(const Tensor& output) {
  require<ShapeError>(output.dim() >= 2, "dead_units: needs [N, C, …], got ", output.shape());
  return visit_dtype(output.dtype(), [&]<class T>(T) { return count_dead<T>(output.array()); });
}

Watch::Watch(nn::ModuleRef model) {
  for (const auto& [name, parameter] : model.named_parameters()) {
    if (!parameter.requires_grad()) continue;
    size_t dot = name.rfind('.');
    std::string module = dot == std::string::npos ? "" : name.substr(0, dot);
    auto layer = std::ranges::find(layers_, module, &Layer::name);
    if (layer == layers_.end()) layer = layers_.insert(layers_.end(), {module, {}, {}});
    layer->parameters.push_back(parameter);
  }
}

void Watch::gradients() {
  NoGrad no_grad;
  seen_.clear();
  for (Layer& layer : layers_) {
    std::vector<Tensor> gradients;
    trace::LayerStep step{.name = layer.name};
    for (const Tensor& p : layer.parameters) {
      step.elements += p.numel();
      layer.before.push_back(p.clone());
      if (p.grad().defined()) gradients.push_back(p.grad());
    }
    step.gradient = norm_of(gradients);
    step.weight = norm_of(layer.parameters);
    seen_.push_back(std::move(step));
  }
}

void Watch::updates() {
  NoGrad no_grad;
  for (size_t i = 0; i < seen_.size(); ++i) {
    std::vector<Tensor>& change = layers_[i].before;
    for (size_t k = 0; k < change.size(); ++k) change[k].sub_(layers_[i].parameters[k]);
    seen_[i].update = norm_of(change);
    change.clear();
  }
}

void Watch::take(trace::Step& step) {
  step.layers = std::exchange(seen_, {});
  step.units = std::exchange(units_, {});
}

void Watch::enter(const Scope& scope, std::span<const Tensor>) { open_.push_back({scope.path, scope.kind}); }
void Watch::leave(std::span<const Tensor>) { open_.pop_back(); }

int64_t Watch::operation(const char* op, const Inputs&, const Tensor& output, Attrs) {
  if (!rectifies(op) || output.dim() < 2 || output.numel() == 0) return -1;
  std::string name = open_.empty() ? "" : open_.back().path;
  bool layer = !open_.empty() && open_.back().kind == "ReLU";
  if (!layer) name += concat(name.empty() ? "" : ".", op);
  auto times = std::ranges::count_if(
      units_, [&](const auto& u) { return u.name == name || u.name.starts_with(name + " #"); });
  if (times > 0) name += concat(" #", times + 1);
  units_.push_back({name, output.size(1), dead_units(output)});
  return -1;
}

}  // namespace espalier::train
