#include <espalier/core/threads.h>
#include <espalier/kernels/simd/winograd_tiles.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kBlockBytes = 900 << 10;  // of a block's matrices: they stay in a core's second cache
constexpr int64_t kChunkBytes = 10 << 20;   // of a chunk's: they stay in the third

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
  // As many tiles as have matrices of `bytes` bytes.
  int64_t tiles_in(int64_t bytes) const {
    int64_t each = kPositions * (vectors_of(job.in.channels) + weights.vectors) * kBytes;
    return smaller(tiles.count, (bytes / each + kRows - 1) / kRows * kRows + kRows);
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

// u: the transformed weights, [in, out] at each position.
void transform_weights(const WinogradJob& j, const Matrices& shape, float* u) {
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

// Rows [begin, end) of a part's m as tiles of y.
void transform_output(const Convolution& c, const Part& part, int64_t begin, int64_t end, const float* m) {
  for (int64_t t = begin; t < end; ++t) {
    Place at = place(c.tiles, part.first + t);
    for (int64_t v = 0; v < part.m.vectors; ++v) {
      store_tile(c.job, at, m + part.m.in_rows(t, v), part.m.step(), v * kLane,
                 smaller(kLane, c.job.out.channels - v * kLane));
    }
  }
}

// Each thread takes blocks of tiles through all steps.
void by_blocks(const Convolution& c) {
  Scratch u(c.weights.size());
  transform_weights(c.job, c.weights, u.get());
  int64_t most = c.tiles_in(kBlockBytes);
  parallel_for(ceil_div(c.tiles.count, most), 1, [&](int64_t begin, int64_t end) {
    Part largest = c.part(0, most);
    Scratch v(largest.v.size()), m(largest.m.size());
    for (int64_t block = begin; block < end; ++block) {
      Part part = c.part(block * most, most);
      transform_input(c.job, c.tiles, part.first, 0, part.v.rows, c.zeros, part.v, v.get());
      for (int64_t p = 0; p < kPositions; ++p) {
        for (int64_t panel = 0; panel < c.weights.panels(); ++panel) {
          multiply_panel(m.get() + p * part.m.step() + panel * kVectors * kLane, part.m.row(), part.m.rows,
                         v.get() + p * part.v.step(), part.v.row(), 1, u.get() + p * c.weights.step(),
                         c.weights, panel, false);
        }
      }
      transform_output(c, part, 0, part.m.rows, m.get());
    }
  });
}

// A panel of m from one of the weights, which are transformed here, in a memory that stays in the cache.
void multiply_by_panel(const Convolution& c, const Part& part, const float* v, float* m, int64_t panel,
                       float* u) {
  int64_t first = panel * kVectors;
  Matrices shape{c.job.in.channels, smaller(kVectors, c.weights.vectors - first)};
  for (int64_t i = 0; i < shape.vectors; ++i) {
    for (int64_t channel = 0; channel < shape.rows; ++channel) {
      transform_taps(c.job, channel, first + i, u + shape.in_panels(channel, i), shape.step());
    }
  }
  for (int64_t p = 0; p < kPositions; ++p) {
    multiply_panel(m + p * part.m.step() + first * kLane, part.m.row(), part.m.rows, v + p * part.v.step(),
                   part.v.row(), 1, u + p * shape.step(), shape, 0, false);
  }
}

// The threads share out each step for a chunk of tiles, so that each reads only a part of the weights.
void by_chunks(const Convolution& c) {
  int64_t most = c.tiles_in(kChunkBytes);
  Part largest = c.part(0, most);
  Scratch v(largest.v.size()), m(largest.m.size());
  for (int64_t first = 0; first < c.tiles.count; first += most) {
    Part part = c.part(first, most);
    parallel_for(part.v.rows, 4, [&](int64_t begin, int64_t end) {
      transform_input(c.job, c.tiles, first, begin, end, c.zeros, part.v, v.get());
    });
    parallel_for(c.weights.panels(), 1, [&](int64_t begin, int64_t end) {
      Scratch u(Matrices{c.job.in.channels, kVectors}.size());
      for (int64_t panel = begin; panel < end; ++panel) {
        multiply_by_panel(c, part, v.get(), m.get(), panel, u.get());
      }
    });
    parallel_for(part.m.rows, 4,
                 [&](int64_t begin, int64_t end) { transform_output(c, part, begin, end, m.get()); });
  }
}

void convolve(const WinogradJob& job) {
  Matrices weights{job.in.channels, vectors_of(job.out.channels)};
  Scratch zeros(job.in.channels);
  for (int64_t i = 0; i < job.in.channels; ++i) zeros.get()[i] = 0;
  Convolution c{job, Tiles(job), weights, zeros.get()};
  if (weights.size() * static_cast<int64_t>(sizeof(float)) > kManyWeights) by_chunks(c);
  else by_blocks(c);
}

}  // namespace

ESPALIER_OFFER(winograd_conv, convolve)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
