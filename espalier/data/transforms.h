#pragma once

#include <vector>

#include <espalier/core/array.h>
#include <espalier/core/callable.h>
#include <espalier/core/random.h>

// Changes to an image on its way into a batch. Each takes and returns one image [C, H, W] in row-major order,
// uint8 (0 to 255) or float32, and draws what is random from the generator that it is given, as torchvision's
// of the same name do. A function of one's own works as well.
namespace espalier::data {

using Transform = Callable<Array(const Array& image, Generator& random)>;

// One after the other.
Array apply(const std::vector<Transform>& transforms, Array image, Generator& random);

// uint8 to float32 from 0 to 1; float32 stays as it is.
struct ToFloat {
  Array operator()(const Array& image, Generator& random) const;
};

// (x - mean) / std for float32, one number of each for all channels or one a channel.
struct Normalize {
  std::vector<float> mean, std;
  Array operator()(const Array& image, Generator& random) const;
};

// `padding` pixels of value `fill` on each side.
struct Pad {
  int64_t padding = 0;
  float fill = 0;
  Array operator()(const Array& image, Generator& random) const;
};

// A part of the given size from a random place, after padding.
struct RandomCrop {
  int64_t height = 0, width = 0, padding = 0;
  Array operator()(const Array& image, Generator& random) const;
};

struct RandomHorizontalFlip {
  float p = 0.5f;
  Array operator()(const Array& image, Generator& random) const;
};

// Grey to colour: the one channel `channels` times. An image that has as many already stays as it is.
struct RepeatChannels {
  int64_t channels = 3;
  Array operator()(const Array& image, Generator& random) const;
};

// Scaled to the given size: bilinear, averaging where it shrinks, as PyTorch's interpolate with antialias.
struct Resize {
  int64_t height = 0, width = 0;
  Array operator()(const Array& image, Generator& random) const;
};

}  // namespace espalier::data
