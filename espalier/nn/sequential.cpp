#include <espalier/nn/sequential.h>

namespace espalier::nn {

Sequential::Sequential(std::vector<AnyModule> modules) : modules_(std::move(modules)) {}

void Sequential::append(AnyModule module) { modules_.push_back(std::move(module)); }
AnyModule& Sequential::operator[](size_t i) { return modules_.at(i); }

Tensor Sequential::forward(const Tensor& x) {
  Tensor y = x;
  for (AnyModule& module : modules_) y = module(y);
  return y;
}

void Sequential::espalier_fields(Sequential& self, Fields& out) {
  for (size_t i = 0; i < self.modules_.size(); ++i) out.add(std::to_string(i), self.modules_[i].ref());
}

}  // namespace espalier::nn
