#pragma once

#include <vector>

#include <espalier/autograd/record.h>
#include <espalier/ops/view.h>

namespace espalier::detail {

// For the backward of an operation that has a kernel for it, when its own derivative is wanted: the gradients
// of `f`, the operation composed of others, at `inputs` (undefined ones may be among them) for the cotangent
// g. All is put on the tape.
template <class F>
Grads recomputed(std::vector<Tensor> inputs, const Tensor& g, F&& f) {
  std::vector<Tensor> wanted;
  std::vector<size_t> places;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !inputs[i].requires_grad()) continue;
    inputs[i] = reshape(inputs[i], inputs[i].shape());  // a node of its own: the walk back ends here
    wanted.push_back(inputs[i]);
    places.push_back(i);
  }
  auto found = grad(f(inputs), wanted, {.grad_outputs = {g}, .create_graph = true, .allow_unused = true});
  std::vector<Tensor> out(inputs.size());
  for (size_t i = 0; i < places.size(); ++i) out[places[i]] = found[i];
  return Grads(std::move(out));
}

}  // namespace espalier::detail
