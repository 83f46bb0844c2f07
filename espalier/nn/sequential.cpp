#include <espalier/nn/sequential.h>

namespace espalier::nn {

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (AnyModule& module : modules_) y = module(y);
  return y;
}

void Sequential::espalier_fields(Sequential& self, Fields& out) {
  for (size_t i = 0; i < self.modules_.size(); ++i) out.add(std::to_string(i), self.modules_[i].ref());
}

}  // namespace espalier::nn
