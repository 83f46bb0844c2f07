#include <espalier/autograd/grad_mode.h>
#include <espalier/nn/parameter.h>
#include <espalier/nn/ties.h>

namespace espalier::nn {
namespace {

Tensor leaf(Tensor values) { return values.defined() && !values.is_leaf() ? values.detach() : values; }

Tensor copied(const Tensor& source) {
  if (!source.defined()) return {};
  NoGrad guard;
  return source.detach().clone();
}

bool alike(const Tensor& a, const Tensor& b) {
  return a.defined() && b.defined() && a.shape() == b.shape() && a.dtype() == b.dtype();
}

// Writes into `target` what `source` holds, or makes it a new copy.
void assign(Tensor& target, const Tensor& source) {
  NoGrad guard;
  if (alike(target, source)) target.copy_(source);
  else target = copied(source);
}

}  // namespace

Parameter::Parameter(Tensor values, bool requires_grad) : Tensor(leaf(std::move(values))) {
  if (defined()) requires_grad_(requires_grad);
}

Parameter::Parameter(const Parameter& source) : Tensor() {
  detail::TiedCopy tied(source);
  if (tied.known()) tie(tied.copy());
  else Tensor::operator=(copied(source));
  if (defined()) requires_grad_(source.requires_grad());
  tied.made(*this);
}

Parameter& Parameter::operator=(const Parameter& source) {
  if (is_same(source)) return *this;
  detail::TiedCopy tied(source);
  if (tied.known()) tie(tied.copy());
  else assign(*this, source);
  if (defined()) requires_grad_(source.requires_grad());
  tied.made(*this);
  return *this;
}

Buffer::Buffer(const Buffer& source) : Tensor(copied(source)), persistent_(source.persistent_) {}

Buffer& Buffer::operator=(const Buffer& source) {
  if (!is_same(source)) assign(*this, source);
  persistent_ = source.persistent_;
  return *this;
}

Buffer& Buffer::operator=(Tensor values) {
  Tensor::operator=(std::move(values));
  return *this;
}

}  // namespace espalier::nn
