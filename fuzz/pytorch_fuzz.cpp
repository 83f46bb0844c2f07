#include <espalier/core/error.h>
#include <espalier/io/pytorch.h>

// Any bytes are either refused with a FileError, or every tensor can be read.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::as_bytes(std::span(data, size));
  auto copy = std::make_shared<std::vector<std::byte>>(bytes.begin(), bytes.end());
  try {
    espalier::io::TorchFile file(espalier::io::MappedFile{copy, *copy});
    file.tree();
    for (const auto& t : file.tensors()) {
      std::string buffer;
      if (t.bytes() <= 1 << 20) row_major_bytes(t, buffer);
    }
  } catch (const espalier::FileError&) {
  }
  return 0;
}
