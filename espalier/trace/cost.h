#pragma once

#include <string_view>

#include <espalier/autograd/recorder.h>

namespace espalier::trace {

// Multiplications and additions of an operation's forward: 2 a multiply-add for products and convolutions,
// the number of elements read for reductions and elementwise operations, 0 for what only moves or renames
// data.
double flops(std::string_view op, const Inputs& inputs, const Tensor& output);

}  // namespace espalier::trace
