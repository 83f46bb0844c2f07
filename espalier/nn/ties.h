#pragma once

#include <espalier/nn/module_ref.h>

// How parameters that are one tensor stay one in a copy of their module. A module's base is copied before its
// members: it notes which parameters of the source are shared, and the copies of these find each other by the
// note.
namespace espalier::nn::detail {

void begin_copy(ModuleRef source);
// As well, makes the target's parameters independent of each other.
void begin_assign(ModuleRef target, ModuleRef source);

// A parameter's part in the copy that runs on this thread.
class TiedCopy {
 public:
  explicit TiedCopy(const Parameter& source);
  bool known() const;          // another parameter of the same tensor was copied already
  Tensor copy() const;         // to this
  void made(const Tensor& t);  // this parameter's copy

 private:
  const Parameter* source_;
  size_t place_;
};

}  // namespace espalier::nn::detail
