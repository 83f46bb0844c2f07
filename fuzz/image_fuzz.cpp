#include <span>

#include <espalier/core/error.h>
#include <espalier/data/image_codecs.h>

// Any bytes are either refused with a FileError or give an image. Large ones are left out for speed.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto bytes = std::as_bytes(std::span(data, size));
  for (auto decode : {espalier::data::decode_png, espalier::data::decode_jpeg}) {
    try {
      auto pixels = decode(bytes, espalier::data::kMostPixels);
      if (pixels.bytes.size() != static_cast<size_t>(pixels.height * pixels.width * pixels.channels))
        __builtin_trap();
    } catch (const espalier::FileError&) {
    }
  }
  return 0;
}
