#pragma once

#include <espalier/core/array.h>
#include <espalier/kernels/dispatch.h>

#include <vector>

namespace espalier::kernels {

// Positions begin, begin + step, … before end of one side of an image. An average divides by the product of
// the sizes of its two windows.
struct PoolWindow {
  int64_t begin, end;
  double size;
};
struct PoolAxis {
  int64_t in = 0, step = 1;
  std::vector<PoolWindow> windows = {};  // one for each position of the output
};

// How [N, C, H, W] is pooled. All arrays but integers' (`at`: h * width + w of the largest, int32) are of one
// floating point dtype. Results lie in channels-last or row-major order, as `channels_last` says; inputs in
// another order are copied to it.
struct Pooling {
  bool channels_last = false;
  PoolAxis h, w;
};

// A NaN in a window is its largest; of equals it is the first. A window without elements gives -infinity at
// -1. `at` may be null.
void max_pool2d(Array& y, Array* at, const Array& x, const Pooling& p);
// gx[at] += g, y = x[at]
void max_pool2d_scatter(Array& gx, const Array& g, const Array& at, const Pooling& p);
void max_pool2d_gather(Array& y, const Array& x, const Array& at, const Pooling& p);
void avg_pool2d(Array& y, const Array& x, const Pooling& p);
void avg_pool2d_input(Array& gx, const Array& g, const Pooling& p);

// What the vectorised code works on: images of [h, w, channels] (one channel in row-major order).
struct PoolJob {
  struct Axis {
    int64_t in, out, step;
    const PoolWindow* windows;
  };
  DType dtype;
  int64_t images, channels;
  Axis h, w;
  void* in;     // x or its gradient
  void* out;    // y or its gradient
  int32_t* at;  // may be null for max_pool_images
};
inline constinit Kernel<void(const PoolJob&)> max_pool_images, max_scatter_images, avg_pool_images,
    avg_scatter_images;

}  // namespace espalier::kernels
