#pragma once

#include <espalier/core/dtype.h>
#include <espalier/core/shape.h>
#include <espalier/core/storage.h>

namespace espalier {

// A storage with sizes and strides, and nothing more: what kernels compute with and files hold. Copies share
// the storage. Element (i, j, …) is at data<T>()[i * strides[0] + j * strides[1] + …]; strides count elements
// and may be 0 (broadcast) or negative never.
struct Array {
  Ref<Storage> storage;
  int64_t offset = 0;  // of the first element, in elements
  Shape shape;
  Strides strides;
  DType dtype = DType::float32;

  // Memory not initialised, in row-major order or with the given strides of a dense layout.
  static Array empty(const Shape& shape, DType dtype);
  static Array empty(const Shape& shape, DType dtype, const Strides& strides);
  // The same shape and, where `like` is dense, the same order in memory.
  static Array empty_like(const Array& like, DType dtype);
  static Array empty_like(const Array& like) { return empty_like(like, like.dtype); }

  int rank() const { return shape.rank(); }
  int64_t numel() const { return shape.numel(); }
  int64_t bytes() const { return numel() * itemsize(dtype); }

  // The first element. Throws ValueError when the values were never computed (a ShapesOnly result).
  void* data() const {
    auto* base = static_cast<char*>(storage ? storage->data() : nullptr);
    return base ? base + offset * itemsize(dtype) : no_data();
  }
  template <class T>
  T* data() const {
    return static_cast<T*>(data());
  }

  // Elements lie in row-major order without gaps / in channels-last order (rank 4) / in some order without
  // gaps.
  bool is_contiguous() const;
  bool is_channels_last() const;
  bool is_dense() const;

  // The same elements seen otherwise; nothing is copied. `shape` and `strides` must stay inside the storage.
  Array view(const Shape& shape, const Strides& strides, int64_t offset) const;
  Array expand(const char* op, const Shape& shape) const;

  void* no_data() const;  // data() of an array without memory
};

// True when there is nothing for a kernel to do: no elements, or a ShapesOnly scope.
inline bool nothing_to_do(const Array& out) { return shapes_only() || out.numel() == 0; }

}  // namespace espalier
