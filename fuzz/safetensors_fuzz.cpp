#include <span>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>

// Any bytes are either refused with a FileError, or every tensor lies within them.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    auto header = espalier::io::parse_safetensors(std::as_bytes(std::span(data, size)));
    for (const auto& e : header.entries) {
      bool inside =
          0 <= e.begin && e.begin <= e.end && header.data_begin + e.end <= static_cast<int64_t>(size);
      if (!inside) __builtin_trap();
    }
  } catch (const espalier::FileError&) {
  }
  return 0;
}
