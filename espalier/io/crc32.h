#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace espalier::io {

// The CRC-32 of zip archives, at the speed of memory where the processor can multiply without carries.
uint32_t crc32(std::span<const std::byte> bytes);

}  // namespace espalier::io
