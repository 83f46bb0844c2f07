#include <espalier/kernels/walk.h>

#include <utility>

namespace espalier::kernels {
namespace {

// Operand k's stride in dimension d of the first operand's shape; 0 where it is broadcast.
int64_t stride_in(const Array& a, int d, int rank) {
  int own = d - (rank - a.rank());
  return own < 0 || a.shape[own] == 1 ? 0 : a.strides[own];
}

bool goes_inside(const Walk& w, int d, int e, int operands) {
  for (int k = 0; k < operands; ++k) {
    if (w.stride[k][d] != w.stride[k][e]) return w.stride[k][d] < w.stride[k][e];
  }
  return false;
}

void swap_dims(Walk& w, int d, int e, int operands) {
  std::swap(w.size[d], w.size[e]);
  for (int k = 0; k < operands; ++k) std::swap(w.stride[k][d], w.stride[k][e]);
}

void sort_by_memory(Walk& w, int operands) {
  for (int i = 1; i < w.rank; ++i) {
    for (int j = i; j > 0 && goes_inside(w, j - 1, j, operands); --j) swap_dims(w, j - 1, j, operands);
  }
}

bool joins(const Walk& w, int outer, int inner, int operands) {
  for (int k = 0; k < operands; ++k) {
    if (w.stride[k][outer] != w.stride[k][inner] * w.size[inner]) return false;
  }
  return true;
}

void join_dims(Walk& w, int operands) {
  int last = 0;
  for (int d = 1; d < w.rank; ++d) {
    if (joins(w, last, d, operands)) {
      w.size[last] *= w.size[d];
    } else {
      w.size[++last] = w.size[d];
    }
    for (int k = 0; k < operands; ++k) w.stride[k][last] = w.stride[k][d];
  }
  w.rank = last + 1;
}

}  // namespace

bool Walk::linear(int k) const {
  int64_t step = 1;
  for (int d = rank - 1; d >= 0; --d) {
    if (stride[k][d] != step) return false;
    step *= size[d];
  }
  return true;
}

bool Walk::single(int k) const {
  for (int d = 0; d < rank; ++d) {
    if (stride[k][d] != 0) return false;
  }
  return true;
}

Walk walk(std::span<const Array* const> arrays) {
  Walk w;
  const Shape& shape = arrays[0]->shape;
  int operands = static_cast<int>(arrays.size());
  for (int d = 0; d < shape.rank(); ++d) {
    if (shape[d] == 1) continue;
    for (int k = 0; k < operands; ++k) w.stride[k][w.rank] = stride_in(*arrays[k], d, shape.rank());
    w.size[w.rank++] = shape[d];
    w.count *= shape[d];
  }
  if (w.rank == 0) {
    w.rank = 1;
    w.size[0] = 1;
    for (int k = 0; k < operands; ++k) w.stride[k][0] = 1;
    return w;
  }
  sort_by_memory(w, operands);
  join_dims(w, operands);
  return w;
}

}  // namespace espalier::kernels
