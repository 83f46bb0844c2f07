#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/elementwise.h>

namespace espalier::kernels {

// Labels [N, d…] (or []) that choose from the classes of an array [N, C, d…] (or [C]); in range, or `ignore`.
struct Labels {
  Array index;                    // int64, row-major
  const Array* weight = nullptr;  // [C], row-major, of the dtype of what is chosen from; null is 1
  int64_t ignore;
};
// y = -weight[label] · x at the label, 0 where it is ignored; and the gradient of x, all of it. y and gx are
// row-major.
void nll(Array& y, const Array& x, const Labels& labels);
void nll_backward(Array& gx, const Array& g, const Labels& labels);

// x [N, C, d…] (or [C]) as rows of classes, [N · d…, C]: a view where the classes lie side by side, else a
// copy.
Array class_rows(const Array& x);
// Not initialised, with the shape of x and the classes side by side.
Array class_rows_like(const Array& x);

// Rows [R, C] for the cross entropy with labels [R] (their weights have no part in it).
struct CrossEntropy {
  Array x;      // without gaps
  Array stats;  // [R, 2] in the compute dtype: each row's maximum m, and log(sum of e^(x - m))
};
// Fills the stats; y is one element, the sum of the losses over `divisor`.
void cross_entropy(Array& y, const CrossEntropy& rows, const Labels& labels, double divisor);
// gx is [R, C] without gaps, g one element.
void cross_entropy_backward(Array& gx, const Array& g, const CrossEntropy& rows, const Labels& labels,
                            double divisor);

// The same for rows [begin, end).
inline constinit Kernel<void(const CrossEntropy&, const Labels&, int64_t begin, int64_t end, double* sum)>
    cross_entropy_rows;
inline constinit Kernel<void(Array& gx, const CrossEntropy&, const Labels&, double scale, int64_t begin,
                             int64_t end)>
    cross_entropy_backward_rows;

// Binary cross entropy of a logit, a target and the weight of positive ones.
inline constinit Row bce_with_logits;

}  // namespace espalier::kernels
