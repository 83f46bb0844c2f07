#include <espalier/core/error.h>
#include <espalier/io/zip.h>

// Any bytes are either refused with a FileError, or every entry unpacks to what the directory says.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    espalier::io::ZipFile zip(std::as_bytes(std::span(data, size)));
    for (const auto& entry : zip.entries()) {
      std::string buffer;
      if (zip.read(entry, buffer).size() != static_cast<size_t>(entry.size)) __builtin_trap();
    }
  } catch (const espalier::FileError&) {
  }
  return 0;
}
