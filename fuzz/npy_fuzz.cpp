#include <espalier/core/error.h>
#include <espalier/io/npy.h>

// Any bytes are either refused with a FileError, or the array lies within them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    auto t = espalier::io::parse_npy(std::as_bytes(std::span(data, size)), nullptr);
    std::string buffer;
    if (row_major_bytes(t, buffer).size() > size) __builtin_trap();
  } catch (const espalier::FileError&) {
  }
  return 0;
}
