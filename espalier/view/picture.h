#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/core/array.h>
#include <espalier/view/html.h>

// Pictures as PNG in the page itself.
namespace espalier::view {

struct Picture {
  int64_t width = 0, height = 0;
  std::vector<uint8_t> rgb;  // row by row, 3 bytes a pixel
};

std::string png(const Picture& picture);

// Colours for values from -most to most: blue below 0, white at 0, orange above.
Picture diverging(const float* values, int64_t height, int64_t width, double most);
// Colours for values from low to high, dark blue to yellow.
Picture sequential(const float* values, int64_t height, int64_t width, double low, double high);

// <img> of a picture, drawn without smoothing; `alt` says what there is to see.
Html image(const Picture& picture, const std::string& alt, const std::string& style = "pixels");

}  // namespace espalier::view
