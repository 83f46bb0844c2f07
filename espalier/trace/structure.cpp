#include <espalier/trace/structure.h>

namespace espalier::trace {
namespace {

template <class Counts>
int64_t count(const Structure& s, Counts&& counts) {
  int64_t n = 0;
  for (const ParameterInfo& p : s.parameters) n += counts(p) ? p.shape.numel() : 0;
  for (const Structure& child : s.children) n += count(child, counts);
  return n;
}

}  // namespace

int64_t Structure::num_parameters() const {
  return count(*this, [](const ParameterInfo& p) { return p.same_as.empty(); });
}
int64_t Structure::num_trainable() const {
  return count(*this, [](const ParameterInfo& p) { return p.same_as.empty() && p.trainable; });
}

}  // namespace espalier::trace
