#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include <espalier/core/array.h>

namespace espalier::data {

// The pixels of a PNG or JPEG file, known by its content: uint8 [3, H, W], red, green, blue. Grey becomes
// colour, transparency is left out. Throws FileError for a file that is missing, damaged, cut off or of
// another kind.
Array read_image(const std::string& path);

// The same from the bytes of such a file, with a limit on how many pixels it may claim.
Array parse_image(std::span<const std::byte> file, int64_t most_pixels);

}  // namespace espalier::data
