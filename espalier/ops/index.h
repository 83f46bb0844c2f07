#pragma once

#include <initializer_list>

#include <espalier/autograd/tensor.h>

// Elements by their positions. Positions are int64 (int32 is converted); those in brackets count from the end
// where negative. One outside its dimension throws IndexError. Gradients of elements taken more than once add
// up in a fixed order.
namespace espalier {

// What x[indices…] gives in PyTorch: positions and slices first, as views; tensors of positions (broadcast
// together) and masks then pick elements. Their dimensions stand where the tensors stood if those were
// neighbours, else in front.
Tensor index(const Tensor& x, std::initializer_list<TensorIndex> indices);
// x with `values` (broadcast) written to that place; where elements are named twice, the last value stays.
Tensor& index_put_(Tensor& x, std::initializer_list<TensorIndex> indices, const Tensor& values);

// The slices of x along `dim` at the positions in `index`, a vector.
Tensor index_select(const Tensor& x, int64_t dim, const Tensor& index);
// Result [i, j, …] is x at [i, j, …] with index[i, j, …] in place of the position in `dim`. `index` has the
// rank of x, and is no larger than x in the other dimensions.
Tensor gather(const Tensor& x, int64_t dim, const Tensor& index);
// gather with `index` broadcast to x in the other dimensions, as NumPy has it.
Tensor take_along_dim(const Tensor& x, const Tensor& index, int64_t dim);
// x with the elements of `source` put where gather would take them, or added there. `source` is at least as
// large as `index`. scatter's gradient is right only where no two elements go to the same place.
Tensor scatter(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source);
Tensor scatter_add(const Tensor& x, int64_t dim, const Tensor& index, const Tensor& source);

// The elements where the mask (bool, broadcast with x) is true, in row-major order.
Tensor masked_select(const Tensor& x, const Tensor& mask);
// The positions of what is not zero: [count, rank] in int64.
Tensor nonzero(const Tensor& x);
// 1 at the classes in x (integers), 0 elsewhere, in int64: x.shape + [num_classes]; -1 takes the largest
// class + 1.
Tensor one_hot(const Tensor& x, int64_t num_classes = -1);

}  // namespace espalier
