#include <espalier/nn/linear.h>

#include <espalier/nn/checks.h>
#include <espalier/nn/init.h>
#include <espalier/ops/creation.h>
#include <espalier/ops/matmul.h>

namespace espalier::nn {

Linear::Linear(int64_t in_features, int64_t out_features, LinearOptions options)
    : in_features(in_features), out_features(out_features) {
  detail::check_setting("Linear", "in_features", in_features, 0);
  detail::check_setting("Linear", "out_features", out_features, 0);
  weight = empty({out_features, in_features});
  if (options.bias) bias = empty({out_features});
  reset_parameters();
}

void Linear::reset_parameters() { init::linear_(weight, bias); }

Tensor Linear::forward(const Tensor& x) const {
  detail::check_rank(x, 1, kMaxRank);
  detail::check_size(x, -1, in_features, "input features");
  return linear(x, weight, bias);
}

std::string Linear::extra_repr() const {
  return concat("in_features=", in_features, ", out_features=", out_features,
                ", bias=", detail::python(bias.defined()));
}

template const ModuleType& detail::type_of<Linear>();

}  // namespace espalier::nn
