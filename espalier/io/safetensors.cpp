#include <espalier/io/safetensors.h>

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

StoredTensor SafetensorsFile::tensor(const SafetensorsEntry& e) const {
  auto* data = const_cast<std::byte*>(bytes(e).data());
  return {e.name,
          find_element_type(e.dtype->name),
          e.shape,
          contiguous_strides(e.shape),
          Storage::borrow(data, e.end - e.begin, file_.owner),
          0};
}

Array SafetensorsFile::array(const SafetensorsEntry& entry) const {
  try {
    return to_array(tensor(entry));
  } catch (DTypeError& e) {
    e.prepend(concat("'", path_, "': "));
    throw;
  }
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
