#include <algorithm>
#include <cmath>

#include <espalier/core/error.h>
#include <espalier/data/transforms.h>

namespace espalier::data {
namespace {

// For each output position along one side, the input positions from `first` on and their weights, which sum
// to 1.
struct Taps {
  int64_t first;
  std::vector<float> weights;
};

std::vector<Taps> taps_for(int64_t from, int64_t to) {
  double scale = static_cast<double>(from) / static_cast<double>(to), reach = std::max(scale, 1.0);
  std::vector<Taps> out;
  for (int64_t i = 0; i < to; ++i) {
    double centre = (static_cast<double>(i) + 0.5) * scale;
    auto first = std::max<int64_t>(0, std::llround(std::floor(centre - reach + 0.5)));
    auto last = std::min<int64_t>(from, std::llround(std::floor(centre + reach + 0.5)));
    Taps taps{first, {}};
    double sum = 0;
    for (int64_t k = first; k < last; ++k) {
      double weight = std::max(0.0, 1 - std::abs(static_cast<double>(k) + 0.5 - centre) / reach);
      taps.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& w : taps.weights) w = static_cast<float>(w / sum);
    out.push_back(std::move(taps));
  }
  return out;
}

// Each of `count` lines of `from` values with the given strides becomes one of taps.size() values.
template <class T>
void resize_rows(const T* from, float* to, int64_t rows, int64_t width, const std::vector<Taps>& taps) {
  for (int64_t r = 0; r < rows; ++r, from += width) {
    for (const auto& [first, weights] : taps) {
      float sum = 0;
      for (size_t k = 0; k < weights.size(); ++k)
        sum += weights[k] * static_cast<float>(from[first + static_cast<int64_t>(k)]);
      *to++ = sum;
    }
  }
}

template <class T>
T to_pixel(float value) {
  if constexpr (sizeof(T) == 1) return static_cast<T>(std::clamp(std::lround(value), 0L, 255L));
  else return value;
}

template <class T>
void resize_columns(const float* from, T* to, int64_t width, const std::vector<Taps>& taps) {
  std::vector<float> sums(static_cast<size_t>(width));
  for (const auto& [first, weights] : taps) {
    std::ranges::fill(sums, 0.0f);
    for (size_t k = 0; k < weights.size(); ++k) {
      const float* row = from + (first + static_cast<int64_t>(k)) * width;
      for (int64_t x = 0; x < width; ++x) sums[x] += weights[k] * row[x];
    }
    for (float sum : sums) *to++ = to_pixel<T>(sum);
  }
}

template <class T>
void resize(const Array& image, Array& out) {
  int64_t channels = image.shape[0], height = image.shape[1], width = image.shape[2];
  auto across = taps_for(width, out.shape[2]), down = taps_for(height, out.shape[1]);
  std::vector<float> narrow(static_cast<size_t>(height * out.shape[2]));
  for (int64_t c = 0; c < channels; ++c) {
    resize_rows(image.data<T>() + c * height * width, narrow.data(), height, width, across);
    resize_columns(narrow.data(), out.data<T>() + c * out.shape[1] * out.shape[2], out.shape[2], down);
  }
}

}  // namespace

Array Resize::operator()(const Array& image, Generator&) const {
  require<ShapeError>(image.rank() == 3 && image.is_contiguous() && image.numel() > 0,
                      "Resize: an image must be [C, H, W] in row-major order, got ", image.shape);
  require<ValueError>(height > 0 && width > 0, "Resize: can't resize to ", height, " by ", width, " pixels");
  if (image.shape[1] == height && image.shape[2] == width) return image;
  Array out = Array::empty({image.shape[0], height, width}, image.dtype);
  require<DTypeError>(image.dtype == DType::uint8 || image.dtype == DType::float32,
                      "Resize: an image must be uint8 or float32, got ", image.dtype);
  if (image.dtype == DType::uint8) resize<uint8_t>(image, out);
  else resize<float>(image, out);
  return out;
}

}  // namespace espalier::data
