#include <memory>

#include <png.h>

#include <espalier/core/error.h>
#include <espalier/data/image_codecs.h>

namespace espalier::data {

Pixels decode_png(std::span<const std::byte> file, int64_t most_pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  std::unique_ptr<png_image, decltype(&png_image_free)> owner(&image, png_image_free);
  auto check = [&](int ok) {
    require<FileError>(ok != 0, "it is a damaged PNG (", image.message, "); get it anew");
  };
  check(png_image_begin_read_from_memory(&image, file.data(), file.size()));
  check_image_size(image.height, image.width, most_pixels);
  image.format = PNG_FORMAT_RGBA;  // with transparency, lest pixels be mixed with a background
  image.flags |= PNG_IMAGE_FLAG_16BIT_sRGB;
  Pixels out{image.height, image.width, 4, std::vector<uint8_t>(PNG_IMAGE_SIZE(image))};
  check(png_image_finish_read(&image, nullptr, out.bytes.data(), 0, nullptr));
  return out;
}

}  // namespace espalier::data
