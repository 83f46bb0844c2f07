#pragma once

#include <espalier/autograd/record.h>
#include <espalier/kernels/loss.h>
#include <espalier/ops/loss.h>

// What losses of class labels share.
namespace espalier::detail {

// Checked labels [N, d…] (or []) of an input [N, C, d…] (or [C]), and the weights of the classes.
struct Labels {
  Saved index;   // int64, row-major
  Saved weight;  // of the input's dtype, row-major; may be undefined
  int64_t ignore;
  double total;  // the sum of the weights of the labels that are not ignored, or their number

  kernels::Labels arrays() const;
};
Labels labels(const char* op, const Tensor& x, const Tensor& target, const Tensor& weight,
              int64_t ignore_index);

// The dimension of the classes.
inline int class_dim(const Tensor& x) { return x.dim() == 1 ? 0 : 1; }

// -weight[label] · x at the label of each position, and the gradient of that.
Tensor nll(const Tensor& x, const Labels& labels);
Tensor nll_backward(const Tensor& g, const Labels& labels, const Shape& shape);

// The mean is the sum over `total`.
Tensor reduced(const Tensor& losses, Reduction reduction, double total);

}  // namespace espalier::detail
