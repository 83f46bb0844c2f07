#pragma once

#include <algorithm>
#include <vector>

#include <espalier/core/deferred.h>
#include <espalier/core/threads.h>
#include <espalier/kernels/dispatch.h>

namespace espalier::optim {

// Runs an update's kernel over all elements of all its parameters, on all threads, however small they are.
template <class Part>
void sweep(const std::vector<Part>& parts,
           const kernels::Kernel<void(const Part&, int64_t, int64_t)>& kernel) {
  if (shapes_only()) return;
  settle_deferred();
  std::vector<int64_t> ends;  // of the parameters, as if they lay one behind the other
  int64_t total = 0;
  for (auto& part : parts) ends.push_back(total += part.parameter.numel());
  parallel_for(total, 1 << 14, [&](int64_t begin, int64_t end) {
    for (size_t i = std::upper_bound(ends.begin(), ends.end(), begin) - ends.begin(); begin < end; ++i) {
      int64_t start = ends[i] - parts[i].parameter.numel();
      int64_t stop = std::min(end, ends[i]);
      kernel(parts[i], begin - start, stop - start);
      begin = stop;
    }
  });
  for (auto& part : parts) part.parameter.storage->bump_version();
}

}  // namespace espalier::optim
