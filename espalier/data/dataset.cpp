#include <espalier/data/dataset.h>

#include <espalier/core/error.h>

namespace espalier::data {

Array ImageDataset::image(int64_t i) const {
  require<IndexError>(0 <= i && i < size(), "image ", i, " of ", size(), ": there is no such image");
  Shape shape = images.shape;
  shape.erase(0);
  return images.view(shape, contiguous_strides(shape), images.offset + i * shape.numel());
}

void ImageDataset::check() const {
  require<ShapeError>(images.rank() == 4, "data set: images must be [N, C, H, W], got ", images.shape);
  require<ShapeError>(images.is_contiguous(), "data set: images must be in row-major order");
  require<DTypeError>(images.dtype == DType::uint8 || images.dtype == DType::float32,
                      "data set: images must be uint8 or float32, got ", images.dtype);
  require<ShapeError>(images.shape[0] == size(), "data set: there are ", images.shape[0], " images and ",
                      size(), " labels");
  auto count = static_cast<int64_t>(classes.size());
  for (int64_t i = 0; i < size(); ++i) {
    require<ValueError>(0 <= labels[i] && labels[i] < count, "data set: label ", i, " is ", labels[i],
                        ", it must be below the number of classes, ", count);
  }
}

}  // namespace espalier::data
