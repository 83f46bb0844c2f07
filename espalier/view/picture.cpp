#include <espalier/view/picture.h>

#include <algorithm>
#include <array>
#include <cmath>

#include <zlib.h>

#include <espalier/core/error.h>

namespace espalier::view {
namespace {

std::string big_endian(uint32_t n) {
  return {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8),
          static_cast<char>(n)};
}

std::string chunk(const std::string& type, const std::string& data) {
  std::string body = type + data;
  auto crc = crc32_z(0, reinterpret_cast<const Bytef*>(body.data()), body.size());
  return big_endian(static_cast<uint32_t>(data.size())) + body + big_endian(static_cast<uint32_t>(crc));
}

std::string deflated(const std::string& raw) {
  uLongf size = compressBound(raw.size());
  std::string out(size, '\0');
  int code = compress2(reinterpret_cast<Bytef*>(out.data()), &size,
                       reinterpret_cast<const Bytef*>(raw.data()), raw.size(), 6);
  require<StateError>(code == Z_OK, "a picture can't be compressed");
  out.resize(size);
  return out;
}

using Colour = std::array<double, 3>;

Colour between(const Colour* stops, size_t count, double at) {
  double place = std::clamp(at, 0.0, 1.0) * static_cast<double>(count - 1);
  auto first = std::min(static_cast<size_t>(place), count - 2);
  double part = place - static_cast<double>(first);
  Colour out;
  for (size_t i = 0; i < 3; ++i) out[i] = stops[first][i] + part * (stops[first + 1][i] - stops[first][i]);
  return out;
}

constexpr Colour kDiverging[] = {{20, 60, 120},   {74, 134, 190}, {160, 200, 228}, {247, 247, 245},
                                 {246, 196, 146}, {221, 128, 50}, {138, 62, 8}};
constexpr Colour kSequential[] = {{13, 22, 60},    {44, 62, 128},   {76, 112, 148},
                                  {112, 157, 140}, {180, 195, 108}, {250, 231, 96}};
constexpr Colour kNotFinite = {200, 0, 160};

template <class Place>
Picture coloured(const float* values, int64_t height, int64_t width, const Colour* stops, size_t count,
                 Place place) {
  Picture out{width, height, {}};
  out.rgb.reserve(static_cast<size_t>(3 * width * height));
  for (int64_t i = 0; i < width * height; ++i) {
    Colour c = std::isfinite(values[i]) ? between(stops, count, place(values[i])) : kNotFinite;
    for (double v : c) out.rgb.push_back(static_cast<uint8_t>(std::lround(v)));
  }
  return out;
}

}  // namespace

std::string png(const Picture& p) {
  std::string raw;
  for (int64_t y = 0; y < p.height; ++y) {
    raw += '\0';  // no filter
    raw.append(reinterpret_cast<const char*>(p.rgb.data()) + 3 * y * p.width,
               static_cast<size_t>(3 * p.width));
  }
  std::string header =
      big_endian(static_cast<uint32_t>(p.width)) + big_endian(static_cast<uint32_t>(p.height));
  header += std::string("\x08\x02\0\0\0", 5);  // 8 bits, RGB
  return "\x89PNG\r\n\x1a\n" + chunk("IHDR", header) + chunk("IDAT", deflated(raw)) + chunk("IEND", "");
}

Picture diverging(const float* values, int64_t height, int64_t width, double most) {
  double scale = most > 0 ? 0.5 / most : 0;
  return coloured(values, height, width, kDiverging, std::size(kDiverging),
                  [&](double v) { return 0.5 + scale * v; });
}

Picture sequential(const float* values, int64_t height, int64_t width, double low, double high) {
  double scale = high > low ? 1 / (high - low) : 0;
  return coloured(values, height, width, kSequential, std::size(kSequential),
                  [&](double v) { return scale * (v - low); });
}

Html image(const Picture& p, const std::string& alt, const std::string& style) {
  return void_tag("img", {{"src", data_url("image/png", png(p))},
                          {"alt", alt},
                          {"class", style},
                          {"width", p.width},
                          {"height", p.height}});
}

}  // namespace espalier::view
