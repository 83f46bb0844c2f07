#include <data/files.h>

#include <cstdio>
#include <cstdlib>

#include <jpeglib.h>
#include <png.h>
#include <zlib.h>

namespace espalier::data {
namespace {

// [3, H, W] to [H, W, 3].
std::string interleaved(const Array& pixels) {
  int64_t count = pixels.shape[1] * pixels.shape[2];
  std::string out;
  for (int64_t i = 0; i < count; ++i) {
    for (int64_t c = 0; c < 3; ++c) out.push_back(static_cast<char>(pixels.data<uint8_t>()[c * count + i]));
  }
  return out;
}

}  // namespace

std::string idx(const std::vector<uint32_t>& sizes, const std::string& values) {
  std::string out{0, 0, 8, static_cast<char>(sizes.size())};
  for (uint32_t size : sizes) {
    for (int shift = 24; shift >= 0; shift -= 8) out.push_back(static_cast<char>(size >> shift));
  }
  return out + values;
}

std::string gzip(const std::string& bytes) {
  z_stream stream{};
  deflateInit2(&stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, bytes.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string png(const Array& pixels) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  image.height = static_cast<png_uint_32>(pixels.shape[1]);
  image.width = static_cast<png_uint_32>(pixels.shape[2]);
  image.format = PNG_FORMAT_RGB;
  std::string bytes = interleaved(pixels), out(PNG_IMAGE_PNG_SIZE_MAX(image), '\0');
  png_alloc_size_t size = out.size();
  if (!png_image_write_to_memory(&image, out.data(), &size, 0, bytes.data(), 0, nullptr)) std::abort();
  out.resize(size);
  return out;
}

std::string jpeg(const Array& pixels) {
  jpeg_compress_struct info;
  jpeg_error_mgr errors;
  info.err = jpeg_std_error(&errors);
  jpeg_create_compress(&info);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&info, &buffer, &size);
  info.image_height = static_cast<JDIMENSION>(pixels.shape[1]);
  info.image_width = static_cast<JDIMENSION>(pixels.shape[2]);
  info.input_components = 3;
  info.in_color_space = JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, 100, TRUE);
  jpeg_start_compress(&info, TRUE);
  std::string bytes = interleaved(pixels);
  while (info.next_scanline < info.image_height) {
    auto* row = reinterpret_cast<JSAMPROW>(bytes.data() + info.next_scanline * info.image_width * 3);
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
  jpeg_destroy_compress(&info);
  std::string out(reinterpret_cast<char*>(buffer), size);
  std::free(buffer);
  return out;
}

Array plain_image(int64_t height, int64_t width, uint8_t red, uint8_t green, uint8_t blue) {
  Array out = Array::empty({3, height, width}, DType::uint8);
  int64_t count = height * width;
  for (int64_t c = 0; c < 3; ++c) {
    for (int64_t i = 0; i < count; ++i)
      out.data<uint8_t>()[c * count + i] = c == 0 ? red : c == 1 ? green : blue;
  }
  return out;
}

}  // namespace espalier::data
