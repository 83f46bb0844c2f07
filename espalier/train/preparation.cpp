#include <espalier/train/preparation.h>

#include <espalier/core/error.h>

namespace espalier::train {

void Preparation::add(data::Transform transform, const std::string& words) {
  transforms_.push_back(std::move(transform));
  text_ += (text_.empty() ? "" : ", ") + words;
}

Preparation Preparation::between(const Shape& image, const Shape& input) {
  require<ShapeError>(image.rank() == 3 && input.rank() == 3, "an image is [C, H, W], got ", image, " for ",
                      input);
  require<ShapeError>(image[0] == input[0] || image[0] == 1, "images of ", image[0],
                      " channels can't go into a model of ", input[0]);
  Preparation p;
  int64_t missing = input[1] - image[1];
  bool pads = missing > 0 && missing == input[2] - image[2] && missing % 2 == 0 && missing * 4 <= input[1];
  std::string size = concat(input[1], " × ", input[2]);
  if (pads)
    p.add(data::Pad{.padding = missing / 2},
          concat(image[1], " × ", image[2], " padded with black to ", size));
  else if (image[1] != input[1] || image[2] != input[2])
    p.add(data::Resize{input[1], input[2]}, "scaled to " + size);
  if (image[0] != input[0])
    p.add(data::RepeatChannels{input[0]}, concat("grey repeated to ", input[0], " channels"));
  p.add(data::ToFloat{}, "bytes scaled to -1 … 1");
  p.transforms_.push_back(data::Normalize{{0.5f}, {0.5f}});
  return p;
}

Tensor Preparation::apply(const Array& image) const {
  Generator unused;
  Array x = data::apply(transforms_, image, unused);
  Shape batch = x.shape;
  batch.insert(0, 1);
  return Tensor(x.view(batch, contiguous_strides(batch), x.offset));
}

Array like_data(const Array& image, const Shape& shape) {
  Generator unused;
  Array scaled = data::Resize{shape[1], shape[2]}(image, unused);
  if (shape[0] != 1) return scaled;
  Array grey = Array::empty(shape, DType::uint8);
  int64_t pixels = shape[1] * shape[2];
  const auto* rgb = scaled.data<uint8_t>();
  auto* out = grey.data<uint8_t>();
  for (int64_t i = 0; i < pixels; ++i) {  // ITU-R BT.601, as Pillow converts to grey
    out[i] =
        static_cast<uint8_t>((299 * rgb[i] + 587 * rgb[i + pixels] + 114 * rgb[i + 2 * pixels] + 500) / 1000);
  }
  return grey;
}

}  // namespace espalier::train
