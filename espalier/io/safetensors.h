#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <espalier/io/file.h>
#include <espalier/io/named_array.h>
#include <espalier/io/stored_tensor.h>

// Files of weights in the safetensors format. A file that breaks any rule of the format is refused with a
// FileError before anything of it is used.
namespace espalier::io {

using Metadata = std::map<std::string, std::string>;

// An element type of the format. Not all of them are element types of arrays.
struct SafetensorsDType {
  std::string_view code;  // in the file: "F32", "F8_E4M3"
  std::string_view name;  // PyTorch's: "float32", "float8_e4m3fn"
  int bits;
  std::optional<DType> dtype;
};

struct SafetensorsEntry {
  std::string name;
  const SafetensorsDType* dtype = nullptr;
  Shape shape;
  int64_t begin = 0, end = 0;  // its bytes, counted from the first byte of data
};

// What parsing a file's bytes gives.
struct SafetensorsHeader {
  std::vector<SafetensorsEntry> entries;  // in the order of the header
  Metadata metadata;
  int64_t data_begin = 0;  // where the data begin in the file
};
SafetensorsHeader parse_safetensors(std::span<const std::byte> file);

// Whether a file begins as one of this format does, sound or not: with the length of a header and its brace.
// A length may look like the beginning of another format (80 02 …, a pickle), so this is asked first.
bool looks_like_safetensors(std::span<const std::byte> file);

// An open file: what is in it is known, values are read as they are asked for.
class SafetensorsFile {
 public:
  explicit SafetensorsFile(const std::string& path);

  const std::vector<SafetensorsEntry>& entries() const { return header_.entries; }
  const Metadata& metadata() const { return header_.metadata; }
  // Further names of tensors that were saved once (by Python's save_model), and their positions in entries().
  const std::map<std::string, size_t>& aliases() const { return aliases_; }

  std::span<const std::byte> bytes(const SafetensorsEntry& entry) const;
  StoredTensor tensor(const SafetensorsEntry& entry) const;
  // The values under a name or an alias, as to_array gives them. Throws FileError when there is no such name.
  Array array(const std::string& name) const;
  Array array(const SafetensorsEntry& entry) const;

 private:
  std::string path_;
  MappedFile file_;
  SafetensorsHeader header_;
  std::map<std::string, size_t> positions_;  // of names in entries()
  std::map<std::string, size_t> aliases_;
};

struct Safetensors {
  std::vector<NamedArray> arrays;  // in the file's order, then the aliases, which share storage
  Metadata metadata;
};
Safetensors read_safetensors(const std::string& path);

// The same bytes as the format's reference implementation: larger element types first, then by name. Arrays
// of any strides. Throws ValueError for names that are used twice, reserved or not UTF-8.
void write_safetensors(const std::string& path, const std::vector<NamedArray>& arrays,
                       const Metadata& metadata = {});
// The same; throws DTypeError for element types that the format does not have.
void write_safetensors(const std::string& path, const std::vector<StoredTensor>& tensors,
                       const Metadata& metadata = {});

// Several files of at most `max_bytes` of tensors each (but a larger tensor has one for itself) and their
// index at `path`, which ends with ".index.json": x.index.json beside x-00001-of-00002.safetensors, for "x"
// or "x.safetensors" in front of it. A set that is there is replaced as a whole: the new files get other
// names than those in use (x-00001-of-00002.2.safetensors), the index is renamed last, and then what it does
// not name goes. One writer at a time.
void write_safetensors_shards(const std::string& path, const std::vector<NamedArray>& arrays,
                              int64_t max_bytes, const Metadata& metadata = {});

}  // namespace espalier::io
