#include <espalier/nn/checks.h>
#include <espalier/nn/dropout.h>
#include <espalier/ops/dropout.h>

namespace espalier::nn {

Dropout::Dropout(double p) : p(p) {
  require<ValueError>(0 <= p && p <= 1, "Dropout: the probability is ", p, ", it must be in [0, 1]");
}

Tensor Dropout::forward(const Tensor& x) const { return dropout(x, p, training); }

std::string Dropout::extra_repr() const { return concat("p=", detail::python(p), ", inplace=False"); }

}  // namespace espalier::nn
