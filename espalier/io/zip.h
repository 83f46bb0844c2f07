#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <espalier/io/file.h>

// Zip archives, as far as files of weights need them: read in memory, never unpacked to disk.
namespace espalier::io {

struct ZipEntry {
  std::string name;
  bool deflated = false;
  uint32_t crc = 0;
  int64_t offset = 0, compressed = 0;  // where its bytes lie in the file
  int64_t size = 0;                    // unpacked
};

// What a file may take of memory beyond its own bytes, when it is unpacked or expanded.
int64_t expansion_limit(size_t file_bytes);

// Whether a file begins as an archive does.
bool is_zip(std::span<const std::byte> file);

// The names and places in an archive. They are taken from the central directory alone, and an archive that
// can be understood in two ways (two entries of a name, overlaps, another name in front of the data, bytes
// before or behind) is refused with a FileError, as is one with encryption, several disks, names that lead
// out of a folder, or more to unpack than expansion_limit.
class ZipFile {
 public:
  explicit ZipFile(std::span<const std::byte> file);

  const std::vector<ZipEntry>& entries() const { return entries_; }
  const ZipEntry* find(std::string_view name) const;  // null where there is none

  // The bytes of an entry, checked against its CRC-32: those in the file where it is stored as it is, else
  // unpacked into `buffer`.
  std::span<const std::byte> read(const ZipEntry& entry, std::string& buffer) const;

 private:
  std::span<const std::byte> file_;
  std::vector<ZipEntry> entries_;
  std::unordered_map<std::string_view, size_t> places_;
};

// Writes an archive of entries stored as they are, each beginning at a multiple of 64 bytes.
class ZipWriter {
 public:
  explicit ZipWriter(AtomicFile& file) : file_(file) {}

  void add(const std::string& name, std::span<const std::byte> bytes);
  void add(const std::string& name, std::string_view text) {
    add(name, std::as_bytes(std::span(text.data(), text.size())));
  }
  void finish();  // writes the directory; the file is still to be committed

 private:
  struct Written {
    std::string name;
    uint32_t crc;
    uint64_t size, offset;
  };
  void write(std::string_view text);

  AtomicFile& file_;
  uint64_t at_ = 0;
  std::vector<Written> entries_;
};

}  // namespace espalier::io
