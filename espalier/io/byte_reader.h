#pragma once

#include <cstring>
#include <span>
#include <string_view>

#include <espalier/core/error.h>

namespace espalier::io {

inline std::string_view as_text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Reads bytes in their order and never beyond their end: what is not there is a FileError.
class ByteReader {
 public:
  ByteReader(std::span<const std::byte> bytes, size_t at = 0) : bytes_(bytes), at_(at) {
    require<FileError>(at <= bytes.size(), "a place at byte ", at, " lies behind its end");
  }

  size_t at() const { return at_; }
  size_t left() const { return bytes_.size() - at_; }

  std::span<const std::byte> take(uint64_t count) {
    require<FileError>(count <= left(), "it is cut off: ", count, " bytes should follow byte ", at_,
                       ", there are ", left());
    at_ += static_cast<size_t>(count);
    return bytes_.subspan(at_ - static_cast<size_t>(count), static_cast<size_t>(count));
  }
  std::string_view text(uint64_t count) { return as_text(take(count)); }
  // A little-endian number.
  template <class T>
  T number() {
    T value;
    std::memcpy(&value, take(sizeof value).data(), sizeof value);
    return value;
  }
  // Up to the next newline, which is skipped.
  std::string_view line() {
    std::string_view rest(reinterpret_cast<const char*>(bytes_.data()) + at_, left());
    size_t end = rest.find('\n');
    require<FileError>(end != rest.npos, "it is cut off: a line has no end");
    at_ += end + 1;
    return rest.substr(0, end);
  }

 private:
  std::span<const std::byte> bytes_;
  size_t at_;
};

}  // namespace espalier::io
