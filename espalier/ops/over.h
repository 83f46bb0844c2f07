#pragma once

#include <array>

#include <espalier/autograd/tensor.h>

namespace espalier::detail {

// What a reduction goes over, and the shapes that remain.
struct Over {
  Over(const char* op, const Tensor& x, const Dims& dims, bool keepdim) : kept(x.shape()), dims(dims) {
    std::array<bool, kMaxRank> reduced{};
    for (int64_t& d : this->dims) {
      d = wrap_dim(op, d, x.dim());
      require<ValueError>(!reduced[d], op, ": dimension ", d, " comes twice in ",
                          static_cast<const Shape&>(dims));
      reduced[d] = true;
    }
    for (int d = 0; d < x.dim(); ++d) {
      bool all = dims.empty();
      if (all || reduced[d]) {
        count *= x.shape()[d];
        kept[d] = 1;
      }
      if (keepdim || !(all || reduced[d])) shape.push_back(kept[d]);
    }
  }

  // Memory for the result as kernels want it, and that memory as the result.
  Array allocate(DType dtype) const { return Array::empty(kept, dtype); }
  Array result(const Array& y) const { return y.view(shape, contiguous_strides(shape), y.offset); }

  Shape kept;         // with size 1 for what is reduced
  Shape shape;        // of the result
  Shape dims;         // wrapped; empty for all
  int64_t count = 1;  // of elements that make one
};

}  // namespace espalier::detail
