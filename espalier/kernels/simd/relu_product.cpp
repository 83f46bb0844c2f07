#include <espalier/kernels/relu.h>

#include <espalier/core/threads.h>
#include <espalier/kernels/simd/denormals.h>
#include <espalier/kernels/simd/lanes.h>
#include <espalier/kernels/simd/scratch.h>

// A few images at a time, so that an element of b is used for all of them, go through blocks of columns whose
// part of b stays in the first cache.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

using Job = ReluOfProductJob;
constexpr int64_t L = kLanes<float>;
constexpr int64_t kBlock = 32;  // vectors of columns

// For each vector of columns those of all depths.
void pack(float* to, const Job& j, int64_t column, int64_t vectors) {
  for (int64_t v = 0; v < vectors; ++v) {
    for (int64_t p = 0; p < j.depth; ++p, to += L) {
      store<float, float>(to, load<float>(j.b + p * j.b_row + column + v * L));
    }
  }
}

// Images [image, image + R); `column` is a multiple of the channels.
template <int R>
void block(const Job& j, int64_t image, int64_t column, int64_t vectors, const float* b, float* sums) {
  const float* y = j.y + image * j.columns + column;
  float* gx = j.gx + image * j.columns + column;
  const float* a = j.a + image * j.depth;
  for (int64_t v = 0, channel = 0; v < vectors; ++v, y += L, gx += L) {
    Vec<float> g[R] = {};
    for (int64_t p = 0; p < j.depth; ++p, b += L) {
      Vec<float> right = load<float>(b);
      for (int r = 0; r < R; ++r) g[r] += a[r * j.depth + p] * right;
    }
    Vec<float> sum = load<float>(sums + channel);
    for (int r = 0; r < R; ++r) {
      g[r] = load<float>(y + r * j.columns) <= 0 ? Vec<float>{} : g[r];
      store<float, float>(gx + r * j.columns, g[r]);
      sum += g[r];
    }
    store<float, float>(sums + channel, sum);
    channel = channel + L == j.channels ? 0 : channel + L;
  }
}

template <int R = Job::kImages>
void any_block(int64_t images, const Job& j, int64_t image, int64_t column, int64_t vectors, const float* b,
               float* sums) {
  if constexpr (R > 1) {
    if (images < R) return any_block<R - 1>(images, j, image, column, vectors, b, sums);
  }
  block<R>(j, image, column, vectors, b, sums);
}

void run(const Job& j) {
  int64_t groups = (j.images + Job::kImages - 1) / Job::kImages, per_place = j.channels / L;
  int64_t most = (kBlock + per_place - 1) / per_place * per_place, all = j.columns / L;
  parallel_for(groups, share_of_thread(groups), [&](int64_t begin, int64_t end) {
    NoDenormals flush;  // the gradient of a class that is as good as certain
    Scratch<float> b(most * j.depth * L);
    for (int64_t i = begin * j.channels; i < end * j.channels; ++i) j.sums[i] = 0;
    for (int64_t v = 0; v < all; v += most) {
      int64_t vectors = all - v < most ? all - v : most;
      pack(b, j, v * L, vectors);
      for (int64_t group = begin; group < end; ++group) {
        int64_t image = group * Job::kImages;
        any_block(j.images - image, j, image, v * L, vectors, b, j.sums + group * j.channels);
      }
    }
  });
}

}  // namespace

ESPALIER_OFFER(relu_backward_of_product, run)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
