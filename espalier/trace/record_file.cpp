#include <espalier/trace/record_file.h>

#include <charconv>
#include <filesystem>
#include <limits>

#include <espalier/core/error.h>
#include <espalier/io/safetensors.h>
#include <espalier/trace/json.h>

namespace espalier::trace {
namespace {

std::string values_path(const std::string& path) {
  return std::filesystem::path(path).replace_extension(".safetensors").string();
}

// The largest there is for what is not one.
size_t number_of(const std::string& text) {
  size_t number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  return error == std::errc() && end == text.data() + text.size() ? number
                                                                  : std::numeric_limits<size_t>::max();
}

void read_values(const std::string& path, Record& record) {
  io::SafetensorsFile file(path);
  for (const io::SafetensorsEntry& entry : file.entries()) {
    size_t number = number_of(entry.name);
    require<FileError>(number < record.tensors.size(), path, ": its record has no tensor `",
                       printable(entry.name), "`");
    TensorInfo& t = record.tensors[number];
    Array values = file.array(entry);
    require<FileError>(values.shape == t.shape && values.dtype == t.dtype, path, ": tensor ", number, " is ",
                       values.shape, ", its record says ", t.shape);
    t.values = std::move(values);
  }
}

}  // namespace

void write_record(const std::string& path, const Record& record) {
  std::vector<io::NamedArray> values;
  for (size_t i = 0; i < record.tensors.size(); ++i) {
    if (record.tensors[i].values) values.push_back({std::to_string(i), *record.tensors[i].values});
  }
  if (!values.empty()) io::write_safetensors(values_path(path), values);
  io::write_file(path, to_json(record));
}

Record read_record(const std::string& path) {
  Record record = record_from_json(io::read_file(path), path);
  if (std::filesystem::exists(values_path(path))) read_values(values_path(path), record);
  return record;
}

}  // namespace espalier::trace
