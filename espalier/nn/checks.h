#pragma once

#include <string>

#include <espalier/autograd/tensor.h>
#include <espalier/core/pair.h>

namespace espalier::nn::detail {

// "the input is [64, 8192], from flatten of max_pool2d [64, 32, 16, 16]", as far as the tape knows.
std::string describe_input(const Tensor& x);

// The input has one of the ranks from `least` to `most`.
void check_rank(const Tensor& x, int least, int most);
// Size `dim` of the input is what the layer was made for: "expected 3 input channels, got 1; the input is …".
void check_size(const Tensor& x, int dim, int64_t expected, const char* what);
// A layer's own sizes: "Linear: in_features must be at least 0, got -3".
void check_setting(const char* kind, const char* name, int64_t value, int64_t least);

// Settings as Python prints them: True, 1.0, 3 or (3, 2).
inline const char* python(bool b) { return b ? "True" : "False"; }
std::string python(double d);
std::string python(const Pair& p);

}  // namespace espalier::nn::detail
