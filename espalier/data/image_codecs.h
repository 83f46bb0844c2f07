#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace espalier::data {

// Unpacked pixels, row by row, `channels` bytes each: red, green, blue and what else there is.
struct Pixels {
  int64_t height = 0, width = 0;
  int channels = 3;
  std::vector<uint8_t> bytes;
};

// No image may have more pixels: a small file can claim any size.
inline constexpr int64_t kMostPixels = int64_t{1} << 28;

// Throw FileError that says what is wrong, without the path.
Pixels decode_png(std::span<const std::byte> file, int64_t most_pixels);
Pixels decode_jpeg(std::span<const std::byte> file, int64_t most_pixels);

// Throws "it has 60000 times 60000 pixels; …" unless the size is fit to be read.
void check_image_size(int64_t height, int64_t width, int64_t most);

}  // namespace espalier::data
