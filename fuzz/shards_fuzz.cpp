#include <espalier/core/error.h>
#include <espalier/io/shards.h>

// Any bytes are either refused with a FileError, or every file is one of the same folder.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  try {
    for (const auto& [name, file] :
         espalier::io::parse_shard_index(std::as_bytes(std::span(data, size))).files) {
      if (file.empty() || file[0] == '.' || file.find('/') != file.npos) __builtin_trap();
    }
  } catch (const espalier::FileError&) {
  }
  return 0;
}
