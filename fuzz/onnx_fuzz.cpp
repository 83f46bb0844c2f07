#include <memory>

#include <espalier/core/error.h>
#include <espalier/io/onnx.h>

// Any bytes are either refused with a FileError, or every tensor can be read. A file of data that is asked
// for is not there.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace espalier;
  auto bytes = std::as_bytes(std::span(data, size));
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  io::MappedFile file{copy, *copy};
  auto open = [](const std::string&) -> io::MappedFile { throw FileError("there is none"); };
  std::string buffer;
  try {
    std::vector<std::string> remarks;
    for (const auto& t : io::parse_onnx(file, open, remarks)) row_major_bytes(t, buffer);
  } catch (const FileError&) {
  }
  try {
    row_major_bytes(io::parse_onnx_tensor(file, open), buffer);
  } catch (const FileError&) {
  }
  return 0;
}
