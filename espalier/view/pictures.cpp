#include <espalier/view/pictures.h>

#include <algorithm>
#include <cmath>

#include <espalier/core/text.h>

namespace espalier::view {

std::string class_name(const RunData& run, int64_t label) {
  const auto& names = run.settings.classes;
  return label >= 0 && label < std::ssize(names) ? names[label] : concat("class ", label);
}

Html picture_of(const Array& images, int64_t i, const std::string& alt) {
  int64_t channels = images.shape[1], height = images.shape[2], width = images.shape[3],
          size = height * width;
  Picture p{width, height, {}};
  const uint8_t* first = images.data<uint8_t>() + i * channels * size;
  for (int64_t at = 0; at < size; ++at) {
    for (int64_t c = 0; c < 3; ++c) p.rgb.push_back(first[(channels == 3 ? c * size : 0) + at]);
  }
  return image(p, alt);
}

Sprite sprite(const float* maps, int64_t n, int64_t height, int64_t width, double most) {
  auto columns = std::max<int64_t>(
      1, std::min<int64_t>(n, std::lround(std::ceil(std::sqrt(2.0 * static_cast<double>(n))))));
  int64_t rows = (n + columns - 1) / columns;
  Picture out{columns * (width + 1) - 1, rows * (height + 1) - 1, {}};
  out.rgb.assign(static_cast<size_t>(3 * out.width * out.height), 128);
  for (int64_t m = 0; m < n; ++m) {
    Picture one = diverging(maps + m * height * width, height, width, most);
    int64_t top = m / columns * (height + 1), left = m % columns * (width + 1);
    for (int64_t y = 0; y < height; ++y)
      std::copy_n(one.rgb.data() + 3 * y * width, 3 * width,
                  out.rgb.data() + 3 * ((top + y) * out.width + left));
  }
  return {std::move(out), columns};
}

}  // namespace espalier::view
