#include <espalier/core/error.h>
#include <espalier/io/onnx.h>

// Any bytes are either refused with a FileError, or every tensor has the bytes of its shape.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace espalier;
  std::vector<std::byte> copy(size + 1);
  std::copy_n(reinterpret_cast<const std::byte*>(data), size, copy.data());
  io::MappedFile file{nullptr, std::span(copy).first(size)};
  auto open = [&](const std::string&) { return file; };  // data in another file: the same bytes
  auto check = [](const io::StoredTensor& t) {
    std::string buffer;
    if (row_major_bytes(t, buffer).size() != static_cast<size_t>(t.shape.numel() ? t.bytes() : 0))
      __builtin_trap();
  };
  try {
    std::vector<std::string> remarks;
    for (const auto& t : io::parse_onnx(file, open, remarks)) check(t);
  } catch (const FileError&) {
  }
  try {
    check(io::parse_onnx_tensor(file, open));
  } catch (const FileError&) {
  }
  return 0;
}
