#pragma once

#include <string>
#include <vector>

#include <espalier/autograd/tensor.h>

namespace espalier {

using Function = Callable<Tensor(const std::vector<Tensor>&)>;

struct GradcheckOptions {
  double eps = 1e-6;  // step of the central difference
  double atol = 1e-5, rtol = 1e-3;
};

// Compares the gradient of f at float64 `inputs` (those that require one) with central differences, under a
// fixed cotangent that differs from element to element. Returns an empty text, or what differs and where.
std::string gradcheck(const Function& f, const std::vector<Tensor>& inputs,
                      const GradcheckOptions& options = {});

// The same for the gradient of the gradient.
std::string gradgradcheck(const Function& f, const std::vector<Tensor>& inputs,
                          const GradcheckOptions& options = {});

// The cotangent: values in [0.5, 1.5) that no symmetry of an operation cancels.
Tensor check_cotangent(const Shape& shape, DType dtype);

}  // namespace espalier
