#include <espalier/data/image.h>

#include <cstring>

#include <espalier/core/error.h>
#include <espalier/data/image_codecs.h>
#include <espalier/io/file.h>

namespace espalier::data {
namespace {

bool begins_with(std::span<const std::byte> bytes, std::string_view magic) {
  return bytes.size() >= magic.size() && std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Pixels decode(std::span<const std::byte> bytes, int64_t most) {
  if (begins_with(bytes, "\x89PNG")) return decode_png(bytes, most);
  if (begins_with(bytes, "\xff\xd8\xff")) return decode_jpeg(bytes, most);
  throw FileError("it is neither a PNG nor a JPEG image; convert it to one of them");
}

// From [H, W, channels] to [3, H, W].
Array planes(const Pixels& pixels) {
  Array out = Array::empty({3, pixels.height, pixels.width}, DType::uint8);
  if (nothing_to_do(out)) return out;
  int64_t count = pixels.height * pixels.width;
  for (int64_t c = 0; c < 3; ++c) {
    const uint8_t* from = pixels.bytes.data() + c;
    uint8_t* to = out.data<uint8_t>() + c * count;
    for (int64_t i = 0; i < count; ++i) to[i] = from[i * pixels.channels];
  }
  return out;
}

}  // namespace

void check_image_size(int64_t height, int64_t width, int64_t most) {
  require<FileError>(height > 0 && width > 0 && height <= most / width, "it has ", height, " times ", width,
                     " pixels; images of 1 to ", most, " are read");
}

Array parse_image(std::span<const std::byte> file, int64_t most_pixels) {
  return planes(decode(file, most_pixels));
}

Array read_image(const std::string& path) {
  auto file = io::map_file(path);
  try {
    return parse_image(file.bytes, kMostPixels);
  } catch (FileError& e) {
    e.prepend(concat("can't read the image '", path, "': "));
    throw;
  }
}

}  // namespace espalier::data
