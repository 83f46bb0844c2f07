#include <espalier/core/threads.h>
#include <espalier/kernels/simd/winograd_tiles.h>

// The gradient of the weights: at each position the product, over all tiles, of the transformed input and the
// transformed gradient of the result.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kChunkBytes = 4 << 20;     // of a chunk's matrices
constexpr int64_t kFewWeights = 700 << 10;   // bytes of u that stay in a core's second cache, with …
constexpr int64_t kBlock = 48;               // … the matrices of so many tiles
constexpr int64_t kParts = 8;                // sums of their own, so that threads need not wait
constexpr int64_t kLargestBytes = 20 << 20;  // of the matrices of all tiles, if they are one chunk

// Tiles [begin, end), counted from `first`, of the result's gradient as panels of z.
void transform_gradient(const WinogradJob& j, const Tiles& tiles, int64_t first, int64_t begin, int64_t end,
                        const float* zeros, const Matrices& shape, float* z) {
  for (int64_t t = begin; t < end; ++t) {
    Pixels<4> from(j.y, j.out, place(tiles, first + t), zeros);
    Pixels<4> later(j.y, j.out, place(tiles, smaller(first + t + kAhead, tiles.count - 1)), zeros);
    transform_pixels<GradientTransform>(from, later, j.out.channels, shape.step(),
                                        [&](int64_t c) { return z + shape.in_panels(t, c); });
  }
}

// Matrices of a part of the tiles: the transformed input and the transformed gradient of the result.
struct Chunk {
  Matrices left, right;
  float *v, *z;
};

// The tiles [begin, end), counted from `first`.
void transform_tiles(const WinogradJob& j, const Tiles& tiles, int64_t first, int64_t begin, int64_t end,
                     const float* zeros, const Chunk& chunk) {
  transform_input(j, tiles, first, begin, end, zeros, chunk.left.step(), chunk.v,
                  [&](int64_t t, int64_t c) { return chunk.left.in_rows(t, c); });
  transform_gradient(j, tiles, first, begin, end, zeros, chunk.right, chunk.z);
}

struct Zeros : Scratch<float> {
  explicit Zeros(const WinogradJob& j) : Scratch(j.in.channels + j.out.channels) {
    float* all = *this;
    for (int64_t i = 0; i < j.in.channels + j.out.channels; ++i) all[i] = 0;
  }
};

void transform_chunk(const WinogradJob& j, const Tiles& tiles, int64_t first, const Chunk& chunk) {
  Zeros zeros(j);
  parallel_for(chunk.left.rows, 4, [&](int64_t begin, int64_t end) {
    transform_tiles(j, tiles, first, begin, end, zeros, chunk);
  });
}

// u (+)= the product at position p for a panel of the output channels.
void multiply(const WinogradJob& j, const Chunk& c, int64_t p, int64_t panel, float* u, int64_t row,
              bool accumulate) {
  multiply_panel(u, row, j.in.channels, c.v + p * c.left.step(), 1, c.left.row(), c.z + p * c.right.step(),
                 c.right, panel, accumulate);
}

// The gradient of the taps between input channel c and vector v of the output channels from that of the
// transformed ones, which is the sum of `parts`, `part_step` apart.
void transform_back(const WinogradJob& j, int64_t c, int64_t v, const float* from, int64_t step,
                    int64_t parts = 1, int64_t part_step = 0) {
  Lanes taps[9];
  auto sum = [&](int r, int s) {
    const float* p = from + (6 * r + s) * step;
    Lanes total = load_lanes(p);
    for (int64_t i = 1; i < parts; ++i) total += load_lanes(p + i * part_step);
    return total;
  };
  transform<WeightGradientTransform>(sum, [&](int r, int s, const Lanes& value) { taps[3 * r + s] = value; });
  float* w = j.weight + v * kLane * j.out_step + c * j.in_step;
  int64_t count = smaller(kLane, j.out.channels - v * kLane);
  for (int64_t l = 0; l < count; ++l) {
    for (int64_t t = 0; t < 9; ++t) w[l * j.out_step + t] = taps[t][l];
  }
}

// The gradient of all taps from `parts` of u, [in, out] at each position.
void transform_all_back(const WinogradJob& j, const Matrices& weights, const float* u, int64_t parts = 1) {
  parallel_for(weights.vectors * j.in.channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      int64_t v = i / j.in.channels, c = i % j.in.channels;
      transform_back(j, c, v, u + weights.in_rows(c, v), weights.step(), parts, weights.size());
    }
  });
}

// Part `part` of kParts of the tiles, block by block, summed in u.
void sum_part(const WinogradJob& j, const Tiles& tiles, int64_t part, const float* zeros, Chunk block,
              float* u) {
  Matrices weights{j.in.channels, block.right.vectors};
  int64_t first = tiles.count * part / kParts, last = tiles.count * (part + 1) / kParts;
  if (first == last) __builtin_memset(u, 0, static_cast<size_t>(weights.size()) * sizeof(float));
  for (int64_t t = first; t < last; t += kBlock) {
    block.left.rows = block.right.rows = smaller(kBlock, last - t);
    transform_tiles(j, tiles, t, 0, block.left.rows, zeros, block);
    for (int64_t p = 0; p < kPositions; ++p) {
      for (int64_t panel = 0; panel < weights.panels(); ++panel) {
        float* to = u + p * weights.step() + panel * kVectors * kLane;
        multiply(j, block, p, panel, to, weights.row(), t > first);
      }
    }
  }
}

// Few weights: each part of the tiles has a u of its own.
void by_parts(const WinogradJob& j, const Tiles& tiles) {
  Matrices left{kBlock, vectors_of(j.in.channels)}, right{kBlock, vectors_of(j.out.channels)};
  Matrices weights{j.in.channels, right.vectors};
  Scratch<float> u(kParts * weights.size());
  Zeros zeros(j);
  parallel_for(kParts, 1, [&](int64_t begin, int64_t end) {
    Scratch<float> v(left.size()), z(right.size());
    for (int64_t part = begin; part < end; ++part) {
      sum_part(j, tiles, part, zeros, {left, right, v, z}, u + part * weights.size());
    }
  });
  transform_all_back(j, weights, u, kParts);
}

// u, [in, out] at each position, is summed chunk by chunk.
void by_chunks(const WinogradJob& j, const Tiles& tiles, int64_t most, const Chunk& largest) {
  Matrices weights{j.in.channels, largest.right.vectors};
  Scratch<float> u(weights.size());
  int64_t panels = weights.panels();
  for (int64_t first = 0; first < tiles.count; first += most) {
    Chunk chunk = largest;
    chunk.left.rows = chunk.right.rows = smaller(most, tiles.count - first);
    transform_chunk(j, tiles, first, chunk);
    parallel_for(kPositions * panels, 1, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        int64_t p = i / panels, panel = i % panels;
        float* to = u + p * weights.step() + panel * kVectors * kLane;
        multiply(j, chunk, p, panel, to, weights.row(), first > 0);
      }
    });
  }
  transform_all_back(j, weights, u);
}

// All tiles are one chunk: each panel of u is transformed back while it is in the cache.
void by_panels(const WinogradJob& j, const Tiles& tiles, const Chunk& all) {
  transform_chunk(j, tiles, 0, all);
  parallel_for(all.right.panels(), 1, [&](int64_t begin, int64_t end) {
    Scratch<float> u(Matrices{j.in.channels, kVectors}.size());
    for (int64_t panel = begin; panel < end; ++panel) {
      int64_t first = panel * kVectors;
      Matrices shape{j.in.channels, smaller(kVectors, all.right.vectors - first)};
      for (int64_t p = 0; p < kPositions; ++p) {
        multiply(j, all, p, panel, u + p * shape.step(), shape.row(), false);
      }
      for (int64_t v = 0; v < shape.vectors; ++v) {
        for (int64_t c = 0; c < shape.rows; ++c) {
          transform_back(j, c, first + v, u + shape.in_rows(c, v), shape.step());
        }
      }
    }
  });
}

void weight_gradient(const WinogradJob& job) {
  Tiles tiles(job);
  int64_t in = vectors_of(job.in.channels), out = vectors_of(job.out.channels);
  int64_t each = kPositions * (in + out) * kBytes, weights = kPositions * job.in.channels * out * kBytes;
  if (weights <= kFewWeights) return by_parts(job, tiles);
  bool one_chunk = weights > kManyWeights && tiles.count * each <= kLargestBytes;
  int64_t most = one_chunk ? tiles.count : smaller(tiles.count, 16 + kChunkBytes / each);
  Matrices left{most, in}, right{most, out};
  Scratch<float> v(left.size()), z(right.size());
  Chunk chunk{left, right, v, z};
  if (one_chunk) by_panels(job, tiles, chunk);
  else by_chunks(job, tiles, most, chunk);
}

}  // namespace

ESPALIER_OFFER(winograd_weight, weight_gradient)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
