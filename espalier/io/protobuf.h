#pragma once

#include <espalier/io/byte_reader.h>

namespace espalier::io {

// A message of protocol buffers, read field by field; what breaks the encoding is a FileError.
class ProtoReader {
 public:
  enum class Wire : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  explicit ProtoReader(std::span<const std::byte> message) : in_(message) {}

  // Goes to the next field; false where there is none.
  bool next() {
    if (in_.left() == 0) return false;
    uint64_t key = varint();
    field_ = key >> 3;
    wire_ = static_cast<Wire>(key & 7);
    require<FileError>(field_ > 0 && field_ < (1 << 29), "a field of it has the number ", field_);
    switch (wire_) {
      case Wire::varint: number_ = varint(); break;
      case Wire::fixed64: number_ = in_.number<uint64_t>(); break;
      case Wire::fixed32: number_ = in_.number<uint32_t>(); break;
      case Wire::bytes: bytes_ = in_.take(varint()); break;
      default: throw FileError(concat("a field of it is of the kind ", key & 7, ", which is not known"));
    }
    return true;
  }

  uint64_t field() const { return field_; }
  Wire wire() const { return wire_; }
  bool is(uint64_t field, Wire wire) const { return field_ == field && wire_ == wire; }
  uint64_t number() const { return number_; }                  // of a field that is no bytes
  std::span<const std::byte> bytes() const { return bytes_; }  // of one that is
  std::string_view text() const { return as_text(bytes_); }

 private:
  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      auto byte = in_.number<uint8_t>();
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    throw FileError("a number in it has more than 64 bits");
  }

  ByteReader in_;
  uint64_t field_ = 0, number_ = 0;
  Wire wire_ = Wire::varint;
  std::span<const std::byte> bytes_;
};

}  // namespace espalier::io
