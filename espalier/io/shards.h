#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>

namespace espalier::io {

// The index of weights in several files: {"metadata": {"total_size": bytes}, "weight_map": {name: file}}.
struct ShardIndex {
  std::map<std::string, std::string> files;  // of each tensor, beside the index
  std::optional<uint64_t> total_size;
};

bool is_shard_index(std::span<const std::byte> file);
// Throws FileError for names that stand twice and for files that are not in the same folder.
ShardIndex parse_shard_index(std::span<const std::byte> file);

}  // namespace espalier::io
