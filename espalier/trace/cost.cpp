#include <espalier/trace/cost.h>

#include <algorithm>
#include <array>

namespace espalier::trace {
namespace {

constexpr std::array kFree = {"view",   "reshape",    "flatten", "transpose", "permute",   "expand",
                              "select", "slice",      "squeeze", "unsqueeze", "narrow",    "diagonal",
                              "clone",  "contiguous", "to",      "cat",       "stack",     "pad",
                              "flip",   "repeat",     "roll",    "gather",    "embedding", "index_select",
                              "index",  "copy_",      "fill_",   "unflatten"};

double size(const Tensor& t) { return t.defined() ? static_cast<double>(t.numel()) : 0; }

// Each output element of a convolution is a sum over the weights of one filter.
double conv(const Inputs& in, const Tensor& y) {
  const Shape& w = in[1].shape();
  double filter = static_cast<double>(w.numel()) / static_cast<double>(std::max<int64_t>(w[0], 1));
  return 2 * size(y) * filter;
}

double product(const Inputs& in, const Tensor& y) {
  return 2 * size(y) * static_cast<double>(in[0].size(-1));
}

}  // namespace

double flops(std::string_view op, const Inputs& inputs, const Tensor& output) {
  if (op == "conv2d") return conv(inputs, output);
  if (op == "linear" || op == "matmul" || op == "mm" || op == "bmm") return product(inputs, output);
  if (std::find(kFree.begin(), kFree.end(), op) != kFree.end()) return 0;
  return std::max(size(output), inputs.size() > 0 ? size(inputs[0]) : 0);
}

}  // namespace espalier::trace
