#pragma once

#include <vector>

#include <espalier/kernels/conv.h>

namespace espalier::kernels {

// A part of a convolution that one thread computes: some images, or some rows of the result of a single
// image, for which x has the rows that they are made of.
struct ConvPart {
  Array x, y;
  int64_t before, after;  // padding above and below

  // Whether one primitive does for both.
  bool is_like(const ConvPart& o) const {
    return x.shape == o.x.shape && y.shape == o.y.shape && before == o.before && after == o.after;
  }
};

// The parts of a convolution of channels-last x to y, of equal work; one part where there is too little of it
// for several, and where that is better left to oneDNN: bfloat16, and many weights, which each part would
// read. They depend on the sizes alone, so that results do not depend on the number of threads.
std::vector<ConvPart> parts_of_result(const Array& x, const Array& w, const Array& y, const ConvGeometry& c);
// The same, of images only.
std::vector<ConvPart> parts_of_images(const Array& x, const Array& w, const Array& y, const ConvGeometry& c);

}  // namespace espalier::kernels
