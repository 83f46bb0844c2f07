#include <espalier/io/safetensors.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include <espalier/core/error.h>

namespace espalier::io {
namespace {

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
  constexpr std::string_view kEnd = ".index.json", kFormat = ".safetensors";
  require<ValueError>(path.ends_with(kEnd), "safetensors: the index of several files must end with ", kEnd,
                      ", got '", printable(path), "'");
  path.remove_suffix(kEnd.size());
  if (path.ends_with(kFormat)) path.remove_suffix(kFormat.size());
  return std::string(path);
}

// "-00001-of-00002.safetensors"
std::string ending(size_t shard, size_t count) {
  char text[64];
  std::snprintf(text, sizeof text, "-%05zu-of-%05zu.safetensors", shard + 1, count);
  return text;
}

}  // namespace

void write_safetensors_shards(const std::string& path, const std::vector<NamedArray>& arrays,
                              int64_t max_bytes, const Metadata& metadata) {
  require<ValueError>(max_bytes > 0, "safetensors: a file of several must hold some bytes, got ", max_bytes);
  std::string stem = stem_of(path), name = stem.substr(stem.rfind('/') + 1);
  Shards shards = split(arrays, max_bytes);
  int64_t total = 0;
  nlohmann::json map = nlohmann::json::object();
  for (size_t i = 0; i < shards.size(); ++i) {
    std::string end = ending(i, shards.size());
    for (const NamedArray& a : shards[i]) {
      require<ValueError>(!map.contains(a.name), "safetensors: two tensors are named '", printable(a.name),
                          "'");
      map[a.name] = name + end;
      total += a.array.bytes();
    }
    write_safetensors(stem + end, shards[i], metadata);
  }
  nlohmann::json index = {{"metadata", {{"total_size", total}}}, {"weight_map", map}};
  write_file(path, index.dump(2) + "\n");
}

}  // namespace espalier::io
