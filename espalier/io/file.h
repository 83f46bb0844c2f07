#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <string>
#include <string_view>

// Files as wholes. Every function throws FileError that names the path, what went wrong and what to do.
namespace espalier::io {

std::string read_file(const std::string& path);

// The bytes of a file, read by the system as they are touched. They may be written to: the file itself does
// not change. A file that is replaced by AtomicFile leaves the mapping of the old one as it is.
struct MappedFile {
  std::shared_ptr<void> owner;  // keeps the bytes alive
  std::span<std::byte> bytes;
};
MappedFile map_file(const std::string& path);
// A file whose name another file gives: `relative` must lead down from `folder`, on every step without "..",
// a backslash or a link, to an ordinary file that has no other name.
MappedFile map_beneath(const std::string& folder, const std::string& relative);
// The folder of a file, with a slash at its end.
std::string folder_of(const std::string& path);

// A file that appears under its name, complete and on the disk, at commit(), or not at all: until then what
// was there stays. Symbolic links are followed. Not committed, it leaves nothing behind.
class AtomicFile {
 public:
  explicit AtomicFile(const std::string& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(const void* data, size_t bytes);
  void write(std::string_view text) { write(text.data(), text.size()); }
  void commit();

 private:
  std::string path_, target_, temporary_;  // as given, with links followed, in the target's folder
  int file_ = -1;
};

// AtomicFile in one call.
void write_file(const std::string& path, std::string_view text);

// Adds `line` and a newline at the end of a file, made where there is none; a line that does not fit is taken
// back.
void append_line(const std::string& path, std::string_view line);

}  // namespace espalier::io
