#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include <espalier/autograd/tensor.h>

// Fills tensors with first values, drawn from the default generator as PyTorch draws them. The tape does not
// see it. Each returns its tensor.
namespace espalier::nn::init {

Tensor uniform_(Tensor t, double from = 0, double to = 1);
Tensor normal_(Tensor t, double mean = 0, double std = 1);
Tensor constant_(Tensor t, Scalar value);
Tensor ones_(Tensor t);
Tensor zeros_(Tensor t);

// For rank 2 and more: the values that one output (in) and one input (out) of a layer with this weight is
// linked to.
struct Fans {
  int64_t in, out;
};
Fans fans(const Tensor& weight);

// "linear", "conv2d", "sigmoid": 1; "tanh", "relu", "selu"; "leaky_relu" with its slope.
double calculate_gain(std::string_view nonlinearity, double slope = 0.01);

Tensor xavier_uniform_(Tensor t, double gain = 1);
Tensor xavier_normal_(Tensor t, double gain = 1);

struct KaimingOptions {
  double a = 0;                      // slope of the leaky_relu
  std::string_view mode = "fan_in";  // or "fan_out"
  std::string_view nonlinearity = "leaky_relu";
};
Tensor kaiming_uniform_(Tensor t, KaimingOptions options = {});
Tensor kaiming_normal_(Tensor t, KaimingOptions options = {});

// Linear's and Conv2d's: the weight by kaiming_uniform_ with a = √5, then the bias, if there is one, in
// ±1/√fan_in.
void linear_(Tensor weight, Tensor bias);

}  // namespace espalier::nn::init
