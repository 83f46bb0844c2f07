#include <espalier/core/error.h>
#include <espalier/train/run.h>

// Any text is either refused with a FileError, or is a line of metrics that can be written again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace espalier::train;
  try {
    std::string line = to_json(epoch_from_json({reinterpret_cast<const char*>(data), size}, "input"));
    if (to_json(epoch_from_json(line, "its copy")) != line) __builtin_trap();
  } catch (const espalier::FileError&) {
  }
  return 0;
}
