#include <espalier/core/threads.h>
#include <espalier/kernels/simd/winograd_tiles.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Up to kBlock tiles go through all steps together: a block's matrices of one position stay in the first
// cache. Of many weights, kDepth input channels × kVectors vectors and what they give for kPanelTiles tiles
// stay in the second, and kChunkBytes of transformed input in the third.
constexpr int64_t kBlock = 66, kDepth = 64, kPanelTiles = 64, kChunkBytes = 10 << 20;

// A part of the tiles, from the first on, and its matrices.
struct Part {
  int64_t first;
  Matrices v, m;
};

struct Convolution {
  const WinogradJob& job;
  Tiles tiles;
  Matrices weights;
  const float* zeros;

  Part part(int64_t first, int64_t most) const {
    int64_t count = smaller(most, tiles.count - first);
    return {first, {count, vectors_of(job.in.channels)}, {count, weights.vectors}};
  }
};

// The transformed weights between input channel c and vector v of the output channels; `step` lies between
// positions.
void transform_taps(const WinogradJob& j, int64_t c, int64_t v, float* to, int64_t step) {
  const float* w = j.weight + v * kLane * j.out_step + c * j.in_step;
  int64_t count = smaller(kLane, j.out.channels - v * kLane);
  Lanes taps[9] = {};
  for (int64_t l = 0; l < count; ++l) {
    for (int64_t t = 0; t < 9; ++t) taps[j.turned ? 8 - t : t][l] = w[l * j.out_step + t];
  }
  transform<WeightTransform>(
      [&](int r, int s) { return taps[3 * r + s]; },
      [&](int r, int s, const Lanes& value) { store_lanes(to + (6 * r + s) * step, value); });
}

Matrices weights_of(const WinogradJob& j) { return {j.in.channels, vectors_of(j.out.channels)}; }

// u: the transformed weights, [in, out] at each position.
void transform_weights(const WinogradJob& j, float* u) {
  Matrices shape = weights_of(j);
  parallel_for(shape.vectors * j.in.channels, 64, [&](int64_t begin, int64_t end) {
    for (int64_t at = begin; at < end; ++at) {
      int64_t v = at / j.in.channels, c = at % j.in.channels;
      transform_taps(j, c, v, u + shape.in_panels(c, v), shape.step());
    }
  });
}

void store_tile(const WinogradJob& j, const Place& at, const float* m, int64_t step, int64_t channel,
                int64_t count) {
  float* y = j.y + ((at.image * j.out.h + at.row) * j.out.w + at.col) * j.out.channels + channel;
  Lanes bias = {};
  if (j.bias) bias = load_lanes(j.bias + channel, count);
  int64_t rows = j.out.h - at.row, cols = j.out.w - at.col;
  transform<OutputTransform>([&](int r, int s) { return load_lanes(m + (6 * r + s) * step); },
                             [&](int r, int s, const Lanes& value) {
                               if (r >= rows || s >= cols) return;
                               float* to = y + (r * j.out.w + s) * j.out.channels;
                               Lanes result = value + bias;
                               if (j.relu) result = result < 0 ? Lanes{} : result;
                               if (count == kLane) store_lanes(to, result);
                               else store_lanes(to, result, count);
                             });
}

// Asks for the places of a tile to come, which will be written.
void prefetch_tile(const WinogradJob& j, const Place& at, int64_t channel) {
  for (int64_t r = 0; r < smaller(4, j.out.h - at.row); ++r) {
    float* y = j.y + ((at.image * j.out.h + at.row + r) * j.out.w + at.col) * j.out.channels + channel;
    for (int64_t s = 0; s < smaller(4, j.out.w - at.col); ++s) {
      __builtin_prefetch(y + s * j.out.channels, 1, 2);
    }
  }
}

// The rows of m, which belong to the tiles from `tile` on, as places of y; m's vectors are those of y from
// `vector` on.
void transform_output(const Convolution& c, int64_t tile, int64_t vector, const Matrices& shape,
                      const float* m) {
  for (int64_t t = 0; t < shape.rows; ++t) {
    Place at = place(c.tiles, tile + t),
          later = place(c.tiles, smaller(tile + t + kAhead, c.tiles.count - 1));
    for (int64_t v = 0; v < shape.vectors; ++v) {
      int64_t channel = (vector + v) * kLane;
      prefetch_tile(c.job, later, channel);
      store_tile(c.job, at, m + shape.in_rows(t, v), shape.step(), channel,
                 smaller(kLane, c.job.out.channels - channel));
    }
  }
}

// Each thread takes blocks of tiles through all steps; u are the transformed weights.
void by_blocks(const Convolution& c, const float* u) {
  int64_t threads = get_num_threads(), blocks = ceil_div(ceil_div(c.tiles.count, kBlock), threads) * threads;
  int64_t even = ceil_div(c.tiles.count, blocks),
          most = blocks > threads ? ceil_div(even, kRows) * kRows : even;
  parallel_for(ceil_div(c.tiles.count, most), 1, [&](int64_t begin, int64_t end) {
    Part largest = c.part(0, most);
    Scratch<float> v(largest.v.size()), m(largest.m.size());
    for (int64_t block = begin; block < end; ++block) {
      Part part = c.part(block * most, most);
      transform_input(c.job, c.tiles, part.first, 0, part.v.rows, c.zeros, part.v.step(), v,
                      [&](int64_t t, int64_t i) { return part.v.in_rows(t, i); });
      for (int64_t p = 0; p < kPositions; ++p) {
        for (int64_t panel = 0; panel < c.weights.panels(); ++panel) {
          multiply_panel(m + p * part.m.step() + panel * kVectors * kLane, part.m.row(), part.m.rows,
                         v + p * part.v.step(), part.v.row(), 1, u + p * c.weights.step(), c.weights, panel,
                         false);
        }
      }
      transform_output(c, part.first, 0, part.m, m);
    }
  });
}

// Where vector i of tile t stands in a chunk's v, which lies in strips of kDepth channels.
constexpr int64_t kStrip = kDepth / kLane;
int64_t strip_width(const Matrices& v, int64_t i) { return smaller(kStrip, v.vectors - i / kStrip * kStrip); }
int64_t in_strips(const Matrices& v, int64_t t, int64_t i) {
  return (i / kStrip * kStrip * v.rows + t * strip_width(v, i) + i % kStrip) * kLane;
}

// A panel of the output channels for the tiles [begin, end) of a chunk. u and m are scratch.
void convolve_panel(const Convolution& c, const Part& part, const float* v, int64_t begin, int64_t end,
                    int64_t panel, float* u, float* m) {
  int64_t first = panel * kVectors, channels = c.job.in.channels;
  Matrices result{end - begin, smaller(kVectors, c.weights.vectors - first)};
  for (int64_t k = 0; k < channels; k += kDepth) {
    Matrices shape{smaller(kDepth, channels - k), result.vectors};
    for (int64_t i = 0; i < shape.vectors; ++i) {
      for (int64_t channel = 0; channel < shape.rows; ++channel) {
        transform_taps(c.job, k + channel, first + i, u + shape.in_panels(channel, i), shape.step());
      }
    }
    const float* left = v + in_strips(part.v, begin, k / kLane);
    for (int64_t p = 0; p < kPositions; ++p) {
      multiply_panel(m + p * result.step(), result.row(), result.rows, left + p * part.v.step(),
                     strip_width(part.v, k / kLane) * kLane, 1, u + p * shape.step(), shape, 0, k > 0);
    }
  }
  transform_output(c, part.first + begin, first, result, m);
}

// Many weights: they are transformed where they are used, a block at a time. The threads share out panels of
// the output channels for a chunk of tiles, so that each sees only a part of the weights.
void by_panels(const Convolution& c) {
  int64_t each = kPositions * vectors_of(c.job.in.channels) * kBytes;
  int64_t most = smaller(c.tiles.count, ceil_div(kChunkBytes / each, kPanelTiles) * kPanelTiles);
  Scratch<float> v(c.part(0, most).v.size());
  for (int64_t first = 0; first < c.tiles.count; first += most) {
    Part part = c.part(first, most);
    parallel_for(part.v.rows, 4, [&](int64_t begin, int64_t end) {
      transform_input(c.job, c.tiles, first, begin, end, c.zeros, part.v.step(), v,
                      [&](int64_t t, int64_t i) { return in_strips(part.v, t, i); });
    });
    int64_t pieces = ceil_div(part.v.rows, kPanelTiles);
    parallel_for(c.weights.panels() * pieces, 1, [&](int64_t begin, int64_t end) {
      Scratch<float> u(Matrices{kDepth, kVectors}.size()), m(Matrices{kPanelTiles, kVectors}.size());
      for (int64_t i = begin; i < end; ++i) {
        int64_t row = i % pieces * kPanelTiles;
        convolve_panel(c, part, v, row, smaller(row + kPanelTiles, part.v.rows), i / pieces, u, m);
      }
    });
  }
}

int64_t bytes_of(const Matrices& weights) { return weights.size() * static_cast<int64_t>(sizeof(float)); }

void convolve(const WinogradJob& job) {
  Scratch<float> zeros(job.in.channels);
  for (int64_t i = 0; i < job.in.channels; ++i) zeros[i] = 0;
  Convolution c{job, Tiles(job), weights_of(job), zeros};
  if (job.transformed) by_blocks(c, job.transformed);
  else by_panels(c);
}

void transformed_size(const WinogradJob& job, int64_t& floats) {
  Matrices weights = weights_of(job);
  floats = bytes_of(weights) > kManyWeights ? 0 : weights.size();
}

}  // namespace

ESPALIER_OFFER(winograd_conv, convolve)
ESPALIER_OFFER(winograd_transform, transform_weights)
ESPALIER_OFFER(winograd_transformed_size, transformed_size)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
