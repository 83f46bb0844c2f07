#pragma once

#include <span>

#include <espalier/core/array.h>

namespace espalier::kernels {

// Positions are int64 and have been checked; arrays of one call have the same dtype but for them.

// `positions` are k arrays in row-major order with the same number n of elements; they index the first k
// dimensions of `x`. take: out[b, rest…] = x[positions[0][b], …, positions[k-1][b], rest…]. put is the way
// back, in the order of b: elements with the same position add up, or the last one stays.
void take(Array& out, const Array& x, std::span<const Array> positions);
void put(Array& out, const Array& values, std::span<const Array> positions, bool accumulate);

// As PyTorch's gather and scatter along `dim`: `index` gives the position in `dim` of x (of `out`) for the
// element of out (of `source`) where it stands. Elements of the same place add up, or the last one stays.
void gather(Array& out, const Array& x, const Array& index, int dim);
void scatter(Array& out, const Array& source, const Array& index, int dim, bool accumulate);

// The positions of what is not zero in `x`, in row-major order: rows of out [n, rank].
Array nonzero(const Array& x);

// In the reverse order along `dim`.
void flip(Array& out, const Array& x, int dim);

// Zero above (lower) or below the given diagonal of the last two dimensions.
void triangle(Array& out, const Array& x, int64_t diagonal, bool lower);

// Along `dim`: the positions (int64) that sort x, and the values there. Equal ones keep their order; NaN
// counts as the largest. Where `out` is shorter than x, the first of that order.
void sort(Array& values, Array& indices, const Array& x, int dim, bool descending);

}  // namespace espalier::kernels
