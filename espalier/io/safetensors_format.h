#pragma once

#include <espalier/io/safetensors.h>

namespace espalier::io {

inline constexpr std::string_view kMetadataKey = "__metadata__";
inline constexpr int64_t kMaxHeaderBytes = 100'000'000;

// All element types, in the order by which the reference implementation sorts (it writes the last ones
// first).
std::span<const SafetensorsDType> safetensors_dtypes();

}  // namespace espalier::io
