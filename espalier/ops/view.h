#pragma once

#include <vector>

#include <espalier/autograd/tensor.h>

// Operations on the arrangement of elements. Those of the first two groups give views: they share the memory
// of x.
namespace espalier {

// The same elements in row-major order under another shape, in which one size may be -1. Copies where
// strides can't express it; the method view throws ShapeError there.
Tensor reshape(const Tensor& x, const Shape& shape);
// Dimensions start_dim to end_dim (included) made one; dimension `dim` made several, one of which may be -1.
Tensor flatten(const Tensor& x, int64_t start_dim = 0, int64_t end_dim = -1);
Tensor unflatten(const Tensor& x, int64_t dim, const Shape& sizes);
// Without its dimensions of size 1; without `dim` if that has size 1.
Tensor squeeze(const Tensor& x);
Tensor squeeze(const Tensor& x, int64_t dim);
// With a new dimension of size 1 at `dim` of the result.
Tensor unsqueeze(const Tensor& x, int64_t dim);
Tensor transpose(const Tensor& x, int64_t dim0, int64_t dim1);
Tensor t(const Tensor& x);  // a matrix transposed; a vector as it is
// Dimension i of the result is dims[i] of x.
Tensor permute(const Tensor& x, const Dims& dims);
// Dimensions of size 1, and new ones in front, repeated without copying; -1 keeps a size.
Tensor expand(const Tensor& x, const Shape& shape);

// Element `index` of dimension `dim`, which is dropped. Throws IndexError outside of it.
Tensor select(const Tensor& x, int64_t dim, int64_t index);
// Elements start, start + step, … before stop, as Slice has it: what lies outside is cut off.
Tensor slice(const Tensor& x, int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop,
             int64_t step = 1);
// `length` elements from `start`. Throws IndexError where they aren't all inside.
Tensor narrow(const Tensor& x, int64_t dim, int64_t start, int64_t length);
// The diagonal of dimensions 0 and 1, as the last dimension of the result.
Tensor diagonal(const Tensor& x);
// Pieces of `size` along `dim` (the last may be smaller); at most `chunks` equal pieces; every select.
std::vector<Tensor> split(const Tensor& x, int64_t size, int64_t dim = 0);
std::vector<Tensor> chunk(const Tensor& x, int64_t chunks, int64_t dim = 0);
std::vector<Tensor> unbind(const Tensor& x, int64_t dim = 0);

// x with `source` in the place that select, slice and diagonal show. An undefined x stands for zeros of
// `shape`.
Tensor select_scatter(const Tensor& x, const Tensor& source, int64_t dim, int64_t index);
Tensor slice_scatter(const Tensor& x, const Tensor& source, int64_t dim, std::optional<int64_t> start,
                     std::optional<int64_t> stop, int64_t step = 1);
Tensor diagonal_scatter(const Tensor& x, const Tensor& source);

// Tensors of the same shape but for `dim`, one after the other along it (tensors of shape [0] are skipped);
// along a new dimension. The dtype is that which all promote to.
Tensor cat(const std::vector<Tensor>& tensors, int64_t dim = 0);
Tensor stack(const std::vector<Tensor>& tensors, int64_t dim = 0);
// `value` put around x. pads: before and after the last dimension, then before and after the one before it,
// …, as PyTorch's F.pad; negative ones cut off.
Tensor pad(const Tensor& x, const std::vector<int64_t>& pads, Scalar value = 0);
// x repeated repeats[i] times along dimension i; repeats may be longer than the shape.
Tensor repeat(const Tensor& x, const Shape& repeats);
// In the reverse order along dims; moved by shifts[i] along dims[i], what falls off comes back at the other
// end.
Tensor flip(const Tensor& x, const Dims& dims);
Tensor roll(const Tensor& x, const Dims& shifts, const Dims& dims);
// Zero above (below) a diagonal of the last two dimensions; positive ones lie above the main one.
Tensor tril(const Tensor& x, int64_t diagonal = 0);
Tensor triu(const Tensor& x, int64_t diagonal = 0);

}  // namespace espalier
