#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include <espalier/core/shared.h>

// Files as wholes. Every function throws FileError that names the path, what went wrong and what to do.
namespace espalier::io {

std::string read_file(const std::string& path);

// The bytes of a file, read by the system as they are touched. They may be written to: the file itself does
// not change. A file that is replaced by AtomicFile leaves the mapping of the old one as it is.
struct MappedFile {
  Owner owner;  // keeps the bytes alive
  std::span<std::byte> bytes;
};
MappedFile map_file(const std::string& path);
// A file whose name another file gives: `relative` must lead down from `folder`, on every step without "..",
// a backslash or a link, to an ordinary file that has no other name.
MappedFile map_beneath(const std::string& folder, const std::string& relative);
// The folder of a file, with a slash at its end.
std::string folder_of(const std::string& path);

// Copies bytes; those of a mapped file from the file itself, so that they take no memory beside the copy.
// What was written to them there is not seen.
void copy_out(std::span<const std::byte> from, std::byte* to);

// Has the system read bytes of a mapped file that are about to be touched, all at once. Others are left
// alone.
void fetch(std::span<const std::byte> bytes);

// Takes bytes of a mapped file that were read out of memory, so that a large file does not fill it: they are
// read again when they are touched. What was written to them is lost. Bytes that are of no mapped file stay.
void forget(std::span<const std::byte> bytes);

// A file that appears under its name, complete and on the disk, at commit(), or not at all: until then what
// was there stays. Symbolic links are followed. Not committed, it leaves nothing behind; nor does a process
// that is killed, but for file systems without nameless files (and the moment in which a file is renamed),
// where a file `.espalier-….tmp` may stay that nobody reads.
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
  void open();

  std::string path_, target_, temporary_;  // as given, with links followed, in the target's folder
  int file_ = -1;
  bool has_name_ = false;  // temporary_ exists
};

// A name in the folder of `path` for what will be renamed to it.
std::string temporary_beside(const std::string& path);

// AtomicFile in one call.
void write_file(const std::string& path, std::string_view text);

// Adds `line` and a newline at the end of a file, made where there is none; a line that does not fit is taken
// back, and so is what stands behind the last newline: the rest of a writer that was killed.
void append_line(const std::string& path, std::string_view line);
// A file of such lines from byte `from` on, without what stands behind the last newline.
std::string read_lines(const std::string& path, size_t from = 0);

// Another text when a file may have become another: from its size, its time and its place on the disk.
// Empty where there is none.
std::string stamp(const std::string& path);

}  // namespace espalier::io
