#include <espalier/data/transforms.h>

#include <algorithm>
#include <cstring>

#include <espalier/core/error.h>

namespace espalier::data {
namespace {

void check_image(const char* op, const Array& image) {
  require<ShapeError>(image.rank() == 3 && image.is_contiguous(), op,
                      ": an image must be [C, H, W] in row-major order, got ", image.shape);
  require<DTypeError>(image.dtype == DType::uint8 || image.dtype == DType::float32, op,
                      ": an image must be uint8 or float32, got ", image.dtype);
}

template <class F>
void visit_pixel_type(const Array& image, F&& f) {
  if (image.dtype == DType::uint8) f(uint8_t{});
  else f(float{});
}

// The rows of an image, or of some channels of it, as bytes.
struct Rows {
  explicit Rows(const Array& image)
      : data(static_cast<char*>(image.data())),
        height(image.shape[1]),
        width(image.shape[2] * itemsize(image.dtype)) {}
  char* at(int64_t channel, int64_t row) const { return data + (channel * height + row) * width; }

  char* data;
  int64_t height, width;  // width in bytes
};

Array pad(const char* op, const Array& image, int64_t padding, float fill) {
  require<ValueError>(padding >= 0, op, ": the padding is ", padding, ", it can't be negative");
  Array out = Array::empty({image.shape[0], checked_add(image.shape[1], 2 * padding, op),
                            checked_add(image.shape[2], 2 * padding, op)},
                           image.dtype);
  visit_pixel_type(out, [&]<class T>(T) { std::fill_n(out.data<T>(), out.numel(), static_cast<T>(fill)); });
  Rows from(image), to(out);
  for (int64_t c = 0; c < image.shape[0]; ++c) {
    for (int64_t y = 0; y < image.shape[1]; ++y) {
      char* begin = to.at(c, y + padding) + padding * itemsize(image.dtype);
      std::memcpy(begin, from.at(c, y), static_cast<size_t>(from.width));
    }
  }
  return out;
}

Array crop(const Array& image, int64_t top, int64_t left, int64_t height, int64_t width) {
  Array out = Array::empty({image.shape[0], height, width}, image.dtype);
  Rows from(image), to(out);
  for (int64_t c = 0; c < image.shape[0]; ++c) {
    for (int64_t y = 0; y < height; ++y) {
      const char* begin = from.at(c, y + top) + left * itemsize(image.dtype);
      std::memcpy(to.at(c, y), begin, static_cast<size_t>(to.width));
    }
  }
  return out;
}

int64_t draw_below(int64_t n, Generator& random) {
  return static_cast<int64_t>(random.u32() % static_cast<uint64_t>(n));
}

}  // namespace

Array apply(const std::vector<Transform>& transforms, Array image, Generator& random) {
  for (const auto& transform : transforms) image = transform(image, random);
  return image;
}

Array ToFloat::operator()(const Array& image, Generator&) const {
  check_image("ToFloat", image);
  if (image.dtype == DType::float32) return image;
  Array out = Array::empty(image.shape, DType::float32);
  const auto* from = image.data<uint8_t>();
  auto* to = out.data<float>();
  for (int64_t i = 0, n = out.numel(); i < n; ++i) to[i] = static_cast<float>(from[i]) / 255.0f;
  return out;
}

Array Normalize::operator()(const Array& image, Generator&) const {
  check_image("Normalize", image);
  require<DTypeError>(image.dtype == DType::float32, "Normalize: needs float32, got ", image.dtype,
                      "; put ToFloat before it");
  int64_t channels = image.shape[0], pixels = image.shape[1] * image.shape[2];
  auto fits = [&](const std::vector<float>& v) {
    return v.size() == 1 || static_cast<int64_t>(v.size()) == channels;
  };
  require<ValueError>(fits(mean) && fits(std), "Normalize: there are ", mean.size(), " means and ",
                      std.size(), " deviations for ", channels,
                      " channels; give one of each, or one a channel");
  require<ValueError>(std::ranges::count(std, 0.0f) == 0, "Normalize: a deviation of 0 can't be divided by");
  Array out = Array::empty(image.shape, DType::float32);
  for (int64_t c = 0; c < channels; ++c) {
    float m = mean[mean.size() == 1 ? 0 : c], s = std[std.size() == 1 ? 0 : c];
    const float* from = image.data<float>() + c * pixels;
    float* to = out.data<float>() + c * pixels;
    for (int64_t i = 0; i < pixels; ++i) to[i] = (from[i] - m) / s;
  }
  return out;
}

Array Pad::operator()(const Array& image, Generator&) const {
  check_image("Pad", image);
  return pad("Pad", image, padding, fill);
}

Array RandomCrop::operator()(const Array& image, Generator& random) const {
  check_image("RandomCrop", image);
  Array from = padding == 0 ? image : pad("RandomCrop", image, padding, 0);
  int64_t rows = from.shape[1] - height + 1, columns = from.shape[2] - width + 1;
  require<ShapeError>(height > 0 && width > 0 && rows > 0 && columns > 0, "RandomCrop: can't take ", height,
                      " by ", width, " pixels from an image ", from.shape);
  if (rows == 1 && columns == 1) return from;
  int64_t top = draw_below(rows, random), left = draw_below(columns, random);
  return crop(from, top, left, height, width);
}

Array RandomHorizontalFlip::operator()(const Array& image, Generator& random) const {
  check_image("RandomHorizontalFlip", image);
  if (!(random.uniform_float() < p)) return image;
  Array out = Array::empty(image.shape, image.dtype);
  int64_t width = image.shape[2], rows = image.shape[0] * image.shape[1];
  visit_pixel_type(out, [&]<class T>(T) {
    const T* from = image.data<T>();
    T* to = out.data<T>();
    for (int64_t r = 0; r < rows; ++r)
      std::reverse_copy(from + r * width, from + (r + 1) * width, to + r * width);
  });
  return out;
}

Array RepeatChannels::operator()(const Array& image, Generator&) const {
  check_image("RepeatChannels", image);
  if (image.shape[0] == channels) return image;
  require<ShapeError>(image.shape[0] == 1, "RepeatChannels: needs an image of one channel, got ",
                      image.shape);
  Array out = Array::empty({channels, image.shape[1], image.shape[2]}, image.dtype);
  for (int64_t c = 0; c < channels; ++c) {
    std::memcpy(static_cast<char*>(out.data()) + c * image.bytes(), image.data(),
                static_cast<size_t>(image.bytes()));
  }
  return out;
}

}  // namespace espalier::data
