#pragma once

#include <string>

#include <espalier/core/array.h>

namespace espalier::data {

// The pixels of a PNG or JPEG file, known by its content: uint8 [3, H, W], red, green, blue. Grey becomes
// colour, transparency is left out. Throws FileError for a file that is missing, damaged, cut off or of
// another kind.
Array read_image(const std::string& path);

}  // namespace espalier::data
