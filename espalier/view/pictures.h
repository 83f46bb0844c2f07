#pragma once

#include <string>

#include <espalier/view/picture.h>
#include <espalier/view/run_data.h>

namespace espalier::view {

std::string class_name(const RunData& run, int64_t label);

// Image `i` of uint8 [n, C, H, W] with one channel or three.
Html picture_of(const Array& images, int64_t i, const std::string& alt);

// Maps [n, H, W] side by side in rows of `columns` with a pixel between them.
struct Sprite {
  Picture picture;
  int64_t columns = 1;
};
// Values below 0 are blue, above 0 orange, the same scale for all; `most` is the end of it.
Sprite sprite(const float* maps, int64_t n, int64_t height, int64_t width, double most);

}  // namespace espalier::view
