#pragma once

#include <algorithm>
#include <vector>

#include <espalier/core/deferred.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/dispatch.h>
#include <espalier/optim/optimizer.h>

namespace espalier::optim {

// One update of the parameters of a group: a part for each that has a gradient, all of them done in one pass
// on all threads, however small they are.
template <class Part>
class Sweep {
 public:
  explicit Sweep(const ParamGroup& group) {
    settle_deferred();
    parts_.reserve(group.params.size());
  }

  // `part` with the memory of `parameter` and of its gradient filled in. To be completed by the rule.
  Part& add(const Part& part, const Tensor& parameter) {
    const Array& p = parameter.array();
    Part& added = parts_.emplace_back(part);
    added.dtype = p.dtype;
    added.count = p.numel();
    added.parameter = p.data();
    added.grad = gradient_like(parameter, converted_).data();
    p.storage->bump_version();
    total_ += added.count;
    return added;
  }

  void run(const kernels::Kernel<void(const Part&, int64_t, int64_t)>& kernel) const {
    parallel_for(total_, 1 << 14, [&](int64_t begin, int64_t end) {
      int64_t first = 0;  // element of a part, as if they lay one behind the other
      for (const Part& part : parts_) {
        int64_t from = std::max(begin - first, int64_t{0}), to = std::min(end - first, part.count);
        if (from < to) kernel(part, from, to);
        first += part.count;
      }
    });
  }

 private:
  std::vector<Part> parts_;
  std::vector<Tensor> converted_;  // gradients
  int64_t total_ = 0;
};

}  // namespace espalier::optim
