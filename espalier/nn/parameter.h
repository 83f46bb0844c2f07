#pragma once

#include <espalier/autograd/tensor.h>

#include <utility>

namespace espalier::nn {

// A tensor that a module learns: a leaf of the tape. A member of this type is a parameter of its module.
// Default- constructed it stands for one that the module does not have (no bias). A copy is independent: it
// has the same values and no gradient; an assignment keeps the tensor where shape and dtype allow, so that
// whoever holds it (an optimizer) sees the new values. `Tensor t = parameter;` is a handle to the same
// tensor.
class Parameter : public Tensor {
 public:
  Parameter() = default;
  Parameter(Tensor values, bool requires_grad = true);  // takes the tensor over, without what computed it
  Parameter(const Parameter& source);
  Parameter(Parameter&&) noexcept = default;
  Parameter& operator=(const Parameter& source);
  Parameter& operator=(Parameter&&) noexcept = default;

  // Makes this and `other` one tensor, as `a.weight = b.weight` does in PyTorch. Copies of a module keep its
  // ties.
  void tie(const Tensor& other) { Tensor::operator=(other); }
};

// A tensor that a module keeps but does not learn (running statistics). A persistent one is part of the
// state_dict.
class Buffer : public Tensor {
 public:
  Buffer() = default;
  Buffer(Tensor values, bool persistent = true) : Tensor(std::move(values)), persistent_(persistent) {}
  Buffer(const Buffer& source);
  Buffer(Buffer&&) noexcept = default;
  Buffer& operator=(const Buffer& source);
  Buffer& operator=(Buffer&&) noexcept = default;
  Buffer& operator=(Tensor values);  // stays as persistent as it is

  bool persistent() const { return persistent_; }

 private:
  bool persistent_ = true;
};

}  // namespace espalier::nn
