#include <espalier/core/threads.h>
#include <espalier/kernels/simd/winograd_tiles.h>

// The gradient of the weights: at each position the product, over all tiles, of the transformed input and the
// transformed gradient of the result.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kChunkBytes = 4 << 20;     // of a chunk's matrices
constexpr int64_t kLargestBytes = 20 << 20;  // of the matrices of all tiles, if they are one chunk

// Tiles [begin, end), counted from `first`, of the result's gradient as panels of z.
void transform_gradient(const WinogradJob& j, const Tiles& tiles, int64_t first, int64_t begin, int64_t end,
                        const float* zeros, const Matrices& shape, float* z) {
  for (int64_t t = begin; t < end; ++t) {
    Pixels<4> from(j.y, j.out, place(tiles, first + t), zeros);
    transform_pixels<GradientTransform>(from, j.out.channels, shape.step(),
                                        [&](int64_t c) { return z + shape.in_panels(t, c); });
  }
}

// Matrices of a part of the tiles: the transformed input and the transformed gradient of the result.
struct Chunk {
  Matrices left, right;
  float *v, *z;
};

void transform_chunk(const WinogradJob& j, const Tiles& tiles, int64_t first, const Chunk& chunk) {
  int64_t widest = j.in.channels > j.out.channels ? j.in.channels : j.out.channels;
  Scratch zeros(widest);
  for (int64_t i = 0; i < widest; ++i) zeros.get()[i] = 0;
  parallel_for(chunk.left.rows, 4, [&](int64_t begin, int64_t end) {
    transform_input(j, tiles, first, begin, end, zeros.get(), chunk.left, chunk.v);
    transform_gradient(j, tiles, first, begin, end, zeros.get(), chunk.right, chunk.z);
  });
}

// u (+)= the product at position p for a panel of the output channels.
void multiply(const WinogradJob& j, const Chunk& c, int64_t p, int64_t panel, float* u, int64_t row,
              bool accumulate) {
  multiply_panel(u, row, j.in.channels, c.v + p * c.left.step(), 1, c.left.row(), c.z + p * c.right.step(),
                 c.right, panel, accumulate);
}

// The gradient of the taps between input channel c and vector v of the output channels from that of the
// transformed ones.
void transform_back(const WinogradJob& j, int64_t c, int64_t v, const float* from, int64_t step) {
  Lanes taps[9];
  transform<WeightGradientTransform>([&](int r, int s) { return load_lanes(from + (6 * r + s) * step); },
                                     [&](int r, int s, const Lanes& value) { taps[3 * r + s] = value; });
  float* w = j.weight + v * kLane * j.out_step + c * j.in_step;
  int64_t count = smaller(kLane, j.out.channels - v * kLane);
  for (int64_t l = 0; l < count; ++l) {
    for (int64_t t = 0; t < 9; ++t) w[l * j.out_step + t] = taps[t][l];
  }
}

// u, [in, out] at each position, is summed chunk by chunk.
void by_chunks(const WinogradJob& j, const Tiles& tiles, int64_t most, const Chunk& largest) {
  Matrices weights{j.in.channels, largest.right.vectors};
  Scratch u(weights.size());
  int64_t panels = weights.panels();
  for (int64_t first = 0; first < tiles.count; first += most) {
    Chunk chunk = largest;
    chunk.left.rows = chunk.right.rows = smaller(most, tiles.count - first);
    transform_chunk(j, tiles, first, chunk);
    parallel_for(kPositions * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t p = i / panels, panel = i % panels;
        float* to = u.get() + p * weights.step() + panel * kVectors * kLane;
        multiply(j, chunk, p, panel, to, weights.row(), first > 0);
      }
    });
  }
  parallel_for(weights.vectors * j.in.channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t v = i / j.in.channels, c = i % j.in.channels;
      transform_back(j, c, v, u.get() + weights.in_rows(c, v), weights.step());
    }
  });
}

// All tiles are one chunk: each panel of u is transformed back while it is in the cache.
void by_panels(const WinogradJob& j, const Tiles& tiles, const Chunk& all) {
  transform_chunk(j, tiles, 0, all);
  parallel_for(all.right.panels(), 1, [&](int64_t begin, int64_t end) {
    Scratch u(Matrices{j.in.channels, kVectors}.size());
    for (int64_t panel = begin; panel < end; ++panel) {
      int64_t first = panel * kVectors;
      Matrices shape{j.in.channels, smaller(kVectors, all.right.vectors - first)};
      for (int64_t p = 0; p < kPositions; ++p) {
        multiply(j, all, p, panel, u.get() + p * shape.step(), shape.row(), false);
      }
      for (int64_t v = 0; v < shape.vectors; ++v) {
        for (int64_t c = 0; c < shape.rows; ++c) {
          transform_back(j, c, first + v, u.get() + shape.in_rows(c, v), shape.step());
        }
      }
    }
  });
}

void weight_gradient(const WinogradJob& job) {
  Tiles tiles(job);
  int64_t in = vectors_of(job.in.channels), out = vectors_of(job.out.channels);
  int64_t each = kPositions * (in + out) * kBytes;
  bool one_chunk =
      kPositions * job.in.channels * out * kBytes > kManyWeights && tiles.count * each <= kLargestBytes;
  int64_t most = one_chunk ? tiles.count : smaller(tiles.count, 16 + kChunkBytes / each);
  Matrices left{most, in}, right{most, out};
  Scratch v(left.size()), z(right.size());
  Chunk chunk{left, right, v.get(), z.get()};
  if (one_chunk) by_panels(job, tiles, chunk);
  else by_chunks(job, tiles, most, chunk);
}

}  // namespace

ESPALIER_OFFER(winograd_weight, weight_gradient)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
