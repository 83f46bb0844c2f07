#include <espalier/core/threads.h>
#include <espalier/kernels/simd/winograd_tiles.h>

// The gradient of the weights: at each position the product, over all tiles, of the transformed input and the
// transformed gradient of the result.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kChunkBytes = 4 << 20;  // of a chunk's matrices

// Tiles [begin, end), counted from `first`, of the result's gradient as panels of z.
void transform_gradient(const WinogradJob& j, const Tiles& tiles, int64_t first, int64_t begin, int64_t end,
                        const float* zeros, const Matrices& shape, float* z) {
  for (int64_t t = begin; t < end; ++t) {
    Pixels<4> from(j.y, j.out, place(tiles, first + t), zeros);
    transform_pixels<GradientTransform>(from, j.out.channels, shape.step(),
                                        [&](int64_t c) { return z + shape.in_panels(t, c); });
  }
}

// u: the gradient of the transformed weights, [in, out] at each position.
void sum_over_tiles(const WinogradJob& j, const Matrices& weights, float* u) {
  Tiles tiles(j);
  int64_t in = vectors_of(j.in.channels), out = weights.vectors, panels = weights.panels();
  int64_t most = smaller(tiles.count, 16 + kChunkBytes / (kPositions * (in + out) * kBytes));
  Scratch v(Matrices{most, in}.size()), z(Matrices{most, out}.size());
  int64_t widest = j.in.channels > j.out.channels ? j.in.channels : j.out.channels;
  Scratch zeros(widest);
  for (int64_t i = 0; i < widest; ++i) zeros.get()[i] = 0;
  for (int64_t first = 0; first < tiles.count; first += most) {
    int64_t count = smaller(most, tiles.count - first);
    Matrices left{count, in}, right{count, out};
    parallel_for(count, 4, [&](int64_t begin, int64_t end) {
      transform_input(j, tiles, first, begin, end, zeros.get(), left, v.get());
      transform_gradient(j, tiles, first, begin, end, zeros.get(), right, z.get());
    });
    parallel_for(kPositions * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t p = i / panels;
        multiply_panel(u + p * weights.step(), weights.row(), j.in.channels, v.get() + p * left.step(), 1,
                       left.row(), z.get() + p * right.step(), right, i % panels, first > 0);
      }
    });
  }
}

void transform_back(const WinogradJob& j, const Matrices& weights, const float* u) {
  parallel_for(weights.vectors * j.in.channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      int64_t v = at / j.in.channels, c = at % j.in.channels;
      const float* from = u + weights.in_rows(c, v);
      Lanes taps[9];
      transform<WeightGradientTransform>(
          [&](int r, int s) { return load_lanes(from + (6 * r + s) * weights.step()); },
          [&](int r, int s, const Lanes& value) { taps[3 * r + s] = value; });
      float* w = j.weight + v * kLane * j.out_step + c * j.in_step;
      int64_t count = smaller(kLane, j.out.channels - v * kLane);
      for (int64_t l = 0; l < count; ++l) {
        for (int64_t t = 0; t < 9; ++t) w[l * j.out_step + t] = taps[t][l];
      }
    }
  });
}

void weight_gradient(const WinogradJob& job) {
  Matrices weights{job.in.channels, vectors_of(job.out.channels)};
  Scratch u(weights.size());
  sum_over_tiles(job, weights, u.get());
  transform_back(job, weights, u.get());
}

}  // namespace

ESPALIER_OFFER(winograd_weight, weight_gradient)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
