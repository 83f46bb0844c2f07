#pragma once

#include <span>
#include <string>

#include <espalier/core/array.h>
#include <espalier/io/element_type.h>

namespace espalier::io {

struct Quantizer;

// A tensor in a file. Its element type may be one that arrays do not have.
struct StoredTensor {
  std::string name;
  const ElementType* type = nullptr;
  Shape shape;
  Strides strides;  // in elements
  Ref<Storage>
      storage;         // the file's, shared by tensors that share it there; null where there are no elements
  int64_t offset = 0;  // of the first element, in elements
  Shared<const Quantizer> quantizer = {};  // of a quantised tensor, else null

  int64_t bytes() const { return (shape.numel() * type->bits + 7) / 8; }
};

// The tensor itself, which stays in the mapped file where it lies aligned there. Of an element type that
// arrays do not have it is a copy of the wider type that holds its values (float16 gives float32); DTypeError
// where there is none (complex types), or the tensor is quantised (io/quantizer.h).
Array to_array(const StoredTensor& tensor);

// Its elements in row-major order: those in the file where they lie so, else put together in `buffer`.
std::span<const std::byte> row_major_bytes(const StoredTensor& tensor, std::string& buffer);

StoredTensor stored(std::string name, const Array& array);

}  // namespace espalier::io
