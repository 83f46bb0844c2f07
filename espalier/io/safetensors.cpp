#include <espalier/io/safetensors.h>

#include <algorithm>
#include <cstring>

#include <espalier/core/error.h>
#include <espalier/io/safetensors_format.h>

namespace espalier::io {
namespace {

SafetensorsHeader parse(const std::string& path, std::span<const std::byte> bytes) {
  try {
    return parse_safetensors(bytes);
  } catch (FileError& e) {
    e.prepend(concat("can't read '", path, "': "));
    throw;
  }
}

Array copy(const Array& from) {
  Array to = Array::empty(from.shape, from.dtype);
  if (!nothing_to_do(to)) std::memcpy(to.data(), from.data(), static_cast<size_t>(from.bytes()));
  return to;
}

// A bool of C++ is 0 or 1, a byte of a file may be anything.
Array with_clean_bools(Array a) {
  auto* bytes = static_cast<uint8_t*>(a.data());
  if (std::all_of(bytes, bytes + a.numel(), [](uint8_t b) { return b <= 1; })) return a;
  std::replace_if(
      bytes, bytes + a.numel(), [](uint8_t b) { return b > 1; }, uint8_t{1});
  return a;
}

}  // namespace

SafetensorsFile::SafetensorsFile(const std::string& path)
    : path_(path), file_(map_file(path)), header_(parse(path, file_.bytes)) {
  for (size_t i = 0; i < entries().size(); ++i) positions_.emplace(entries()[i].name, i);
  for (const auto& [dropped, kept] : metadata()) {
    auto found = positions_.find(kept);
    if (found != positions_.end() && !positions_.count(dropped)) aliases_.emplace(dropped, found->second);
  }
}

std::span<const std::byte> SafetensorsFile::bytes(const SafetensorsEntry& entry) const {
  return file_.bytes.subspan(static_cast<size_t>(header_.data_begin + entry.begin),
                             static_cast<size_t>(entry.end - entry.begin));
}

Array SafetensorsFile::array(const std::string& name) const {
  if (auto found = positions_.find(name); found != positions_.end()) return array(entries()[found->second]);
  auto alias = aliases_.find(name);
  require<FileError>(alias != aliases_.end(), "there is no tensor '", name, "' in '", path_, "'");
  return array(entries()[alias->second]);
}

Array SafetensorsFile::array(const SafetensorsEntry& entry) const {
  require<DTypeError>(entry.dtype->dtype.has_value(), "'", path_, "': tensor '", printable(entry.name),
                      "' is of type ", entry.dtype->name,
                      ", which Espalier has no tensors of yet; convert it to float32 before");
  DType dtype = *entry.dtype->dtype;
  if (entry.begin == entry.end) return Array::empty(entry.shape, dtype);
  auto* data = const_cast<std::byte*>(bytes(entry).data());
  bool aligned = reinterpret_cast<uintptr_t>(data) % static_cast<size_t>(itemsize(dtype)) == 0;
  Array mapped{Storage::borrow(data, entry.end - entry.begin, file_.owner), 0, entry.shape,
               contiguous_strides(entry.shape), dtype};
  if (dtype == DType::boolean) return with_clean_bools(std::move(mapped));
  return aligned ? mapped : copy(mapped);
}

Safetensors read_safetensors(const std::string& path) {
  SafetensorsFile file(path);
  Safetensors content{{}, file.metadata()};
  for (const auto& entry : file.entries()) content.arrays.push_back({entry.name, file.array(entry)});
  for (const auto& [name, position] : file.aliases()) {
    content.arrays.push_back({name, content.arrays[position].array});
  }
  return content;
}

}  // namespace espalier::io
