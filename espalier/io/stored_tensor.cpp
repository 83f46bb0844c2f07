#include <espalier/io/stored_tensor.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include <espalier/core/error.h>
#include <espalier/io/widen.h>

namespace espalier::io {
namespace {

std::byte* first_byte(const StoredTensor& t) {
  return static_cast<std::byte*>(t.storage->data()) + t.offset * t.type->bits / 8;
}

// A bool of C++ is 0 or 1, a byte of a file may be anything.
void clean_bools(const StoredTensor& t) {
  auto* bytes = static_cast<uint8_t*>(t.storage->data());
  auto* end = bytes + t.storage->bytes();
  if (std::all_of(bytes, end, [](uint8_t b) { return b <= 1; })) return;
  std::replace_if(
      bytes, end, [](uint8_t b) { return b > 1; }, uint8_t{1});
}

Array copied(const StoredTensor& t, DType dtype) {
  Array out = Array::empty(t.shape, dtype);
  std::string buffer;
  auto bytes = row_major_bytes(t, buffer);
  std::memcpy(out.data(), bytes.data(), bytes.size());
  return out;
}

}  // namespace

Array to_array(const StoredTensor& t) {
  require<DTypeError>(!t.quantizer, "tensor '", printable(t.name), "' is quantised (", t.type->name,
                      "), which Espalier has no tensors of; io::dequantize gives its values as float32, "
                      "t.dequantize() does so in Python");
  require<DTypeError>(t.type->array_dtype().has_value(), "tensor '", printable(t.name), "' is of type ",
                      t.type->name, ", which Espalier has no tensors of; convert it in Python before");
  if (t.shape.numel() == 0) return Array::empty(t.shape, *t.type->array_dtype());
  if (!t.type->dtype) {
    std::string buffer;
    return widened(row_major_bytes(t, buffer), *t.type, t.shape);
  }
  DType dtype = *t.type->dtype;
  bool aligned = reinterpret_cast<uintptr_t>(first_byte(t)) % static_cast<size_t>(itemsize(dtype)) == 0;
  if (dtype == DType::boolean) clean_bools(t);
  if (!aligned) return copied(t, dtype);
  return {t.storage, t.offset, t.shape, t.strides, dtype};
}

std::span<const std::byte> row_major_bytes(const StoredTensor& t, std::string& buffer) {
  if (t.shape.numel() == 0) return {};
  const std::byte* data = first_byte(t);
  auto total = static_cast<size_t>(t.bytes());
  Array layout;
  layout.shape = t.shape;
  layout.strides = t.strides;
  if (layout.is_contiguous()) return {data, total};
  auto size = static_cast<size_t>(t.type->bits / 8);
  buffer.resize(total);
  Shape index = Shape::filled(t.shape.rank(), 0);
  for (size_t at = 0; at < total; at += size) {
    int64_t from = 0;
    for (size_t d = 0; d < index.size(); ++d) from += index[d] * t.strides[d];
    std::memcpy(buffer.data() + at, data + from * static_cast<int64_t>(size), size);
    for (size_t d = index.size(); d-- > 0 && ++index[d] == t.shape[d];) index[d] = 0;
  }
  return std::as_bytes(std::span(buffer));
}

StoredTensor stored(std::string name, const Array& a) {
  if (a.numel() > 0) (void)a.data();  // throws where there are no values
  return {std::move(name), &element_type(a.dtype), a.shape, a.strides, a.storage, a.offset};
}

}  // namespace espalier::io
