#pragma once

#include <string>
#include <vector>

#include <espalier/autograd/tensor.h>
#include <espalier/data/transforms.h>

namespace espalier::train {

// How images of one shape become the input of a model of another, the same in training and prediction: a
// smaller image is padded with black where that takes at most a quarter of the side, else it is scaled; grey
// is repeated to all channels; bytes 0 … 255 become -1 … 1.
class Preparation {
 public:
  // Both [C, H, W]. Throws ShapeError where the channels can't be matched.
  static Preparation between(const Shape& image, const Shape& input);

  const std::vector<data::Transform>& transforms() const { return transforms_; }
  const std::string& text() const { return text_; }  // what it does, in words
  // One image, uint8 [C, H, W], as a batch of one.
  Tensor apply(const Array& image) const;

 private:
  void add(data::Transform transform, const std::string& words);

  std::vector<data::Transform> transforms_;
  std::string text_;
};

// An RGB image of any size, uint8 [3, H, W], as one of the shape that a data set holds: scaled, and grey
// where that has one channel.
Array like_data(const Array& image, const Shape& shape);

}  // namespace espalier::train
