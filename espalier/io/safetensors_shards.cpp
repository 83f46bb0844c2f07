#include <espalier/io/safetensors.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <set>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/io/shards.h>

namespace espalier::io {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kIndex = ".index.json", kFormat = ".safetensors";

using Shards = std::vector<std::vector<NamedArray>>;

// In their order, a new shard where the next array does not fit.
Shards split(const std::vector<NamedArray>& arrays, int64_t max_bytes) {
  Shards out;
  int64_t left = 0;
  for (const NamedArray& a : arrays) {
    if (out.empty() || a.array.bytes() > left) {
      out.emplace_back();
      left = max_bytes;
    }
    out.back().push_back(a);
    left -= a.array.bytes();
  }
  return out;
}

std::string stem_of(std::string_view path) {
  require<ValueError>(path.ends_with(kIndex), "safetensors: the index of several files must end with ",
                      kIndex, ", got '", printable(path), "'");
  path.remove_suffix(kIndex.size());
  if (path.ends_with(kFormat)) path.remove_suffix(kFormat.size());
  return std::string(path);
}

// "model-00001-of-00002.safetensors" and so on; with ".2" and so on before the ending for another set.
std::vector<std::string> names_of(const std::string& name, size_t count, int set) {
  std::vector<std::string> out;
  for (size_t i = 1; i <= count; ++i) {
    char text[64];
    std::snprintf(text, sizeof text, "-%05zu-of-%05zu", i, count);
    out.push_back(concat(name, text, set > 1 ? concat(".", set) : "", ".safetensors"));
  }
  return out;
}

bool skip_number(std::string_view& text, std::string_view before, size_t digits) {
  if (!text.starts_with(before)) return false;
  text.remove_prefix(before.size());
  size_t end = std::min(text.find_first_not_of("0123456789"), text.size());
  text.remove_prefix(end);
  return end >= digits;
}

// Whether a file's name is one that names_of gives.
bool is_shard_of(const std::string& name, std::string_view file) {
  if (!skip_number(file, name + "-", 5) || !skip_number(file, "-of-", 5)) return false;
  return file == ".safetensors" || (skip_number(file, ".", 1) && file == ".safetensors");
}

// Adds the files that an index names. Throws FileError where it is not sound.
void add_named(const std::string& index, std::set<std::string>& files) {
  std::error_code error;
  if (!fs::exists(index, error)) return;
  MappedFile file = map_file(index);
  for (const auto& [tensor, shard] : parse_shard_index(file.bytes).files) files.insert(shard);
}

// Removes files of sets that no index names: those that were replaced, and what killed writers left. They
// harm nobody, so what can't be told or removed stays.
void remove_unused(const std::string& stem, const std::string& name) {
  std::set<std::string> used;
  std::error_code error;
  try {
    for (auto format : {std::string_view(), kFormat}) add_named(concat(stem, format, kIndex), used);
  } catch (const FileError&) {
    return;
  }
  for (const auto& entry : fs::directory_iterator(folder_of(stem), error)) {
    std::string file = entry.path().filename().string();
    if (is_shard_of(name, file) && !used.contains(file)) fs::remove(entry.path(), error);
  }
}

// Names for a new set beside what is there.
std::vector<std::string> free_names(const std::string& folder, const std::string& name, size_t count) {
  for (int set = 1;; ++set) {
    auto out = names_of(name, count, set);
    std::error_code error;
    auto is_there = [&](auto& file) { return fs::exists(folder + file, error); };
    if (std::ranges::none_of(out, is_there)) return out;
  }
}

std::string index_text(const Shards& shards, const std::vector<std::string>& files) {
  int64_t total = 0;
  nlohmann::json map = nlohmann::json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    for (const NamedArray& a : shards[i]) {
      require<ValueError>(!map.contains(a.name), "safetensors: two tensors are named '", printable(a.name),
                          "'");
      map[a.name] = files[i];
      total += a.array.bytes();
    }
  }
  return nlohmann::json{{"metadata", {{"total_size", total}}}, {"weight_map", map}}.dump(2) + "\n";
}

}  // namespace

void write_safetensors_shards(const std::string& path, const std::vector<NamedArray>& arrays,
                              int64_t max_bytes, const Metadata& metadata) {
  require<ValueError>(max_bytes > 0, "safetensors: a file of several must hold some bytes, got ", max_bytes);
  std::string stem = stem_of(path), name = stem.substr(stem.rfind('/') + 1), folder = folder_of(stem);
  Shards shards = split(arrays, max_bytes);
  remove_unused(stem, name);
  std::vector<std::string> files = free_names(folder, name, shards.size());
  std::string index = index_text(shards, files);
  try {
    for (size_t i = 0; i < shards.size(); ++i) write_safetensors(folder + files[i], shards[i], metadata);
    write_file(path, index);
  } catch (...) {
    remove_unused(stem, name);
    throw;
  }
  remove_unused(stem, name);
}

}  // namespace espalier::io
