#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include <espalier/core/error.h>
#include <espalier/trace/record_file.h>
#include <espalier/trace/structure_file.h>

// Any text in a file of a run's folder is either refused with a FileError, or is a record or a structure.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  static int file = ::memfd_create("input", 0);
  static std::string path = "/proc/self/fd/" + std::to_string(file);
  if (::ftruncate(file, 0) != 0 || ::pwrite(file, data, size, 0) != static_cast<ssize_t>(size)) return 0;
  try {
    espalier::trace::read_record(path);
  } catch (const espalier::FileError&) {
  }
  try {
    espalier::trace::read_structure(path);
  } catch (const espalier::FileError&) {
  }
  return 0;
}
