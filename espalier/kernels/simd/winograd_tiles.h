#pragma once

#include <espalier/kernels/simd/scratch.h>
#include <espalier/kernels/simd/winograd_transform.h>
#include <espalier/kernels/winograd.h>

// Tiles of images and the matrices that they become, one for each of the 36 positions in a transformed tile.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int kPositions = 36;
constexpr int64_t kManyWeights = 12 << 20;  // bytes of transformed weights that are not kept as a whole
constexpr int64_t kAhead = 2;               // tiles that are asked for before their turn

inline int64_t vectors_of(int64_t channels) { return ceil_div(channels, kLane); }

// A matrix of `rows` × `vectors` vectors for each position. The rows of one lie one after the other, or in
// panels of (up to) kVectors vectors, as micro reads them. The gap keeps the positions' elements out of each
// other's places in the cache.
struct Matrices {
  int64_t rows, vectors;
  int64_t row() const { return vectors * kLane; }
  int64_t step() const { return rows * row() + 5 * kLane; }
  int64_t size() const { return kPositions * step(); }
  int64_t in_rows(int64_t r, int64_t v) const { return r * row() + v * kLane; }
  int64_t in_panels(int64_t r, int64_t v) const {
    int64_t first = v / kVectors * kVectors, width = smaller(kVectors, vectors - first);
    return (first * rows + r * width + v - first) * kLane;
  }
  int64_t panels() const { return ceil_div(vectors, kVectors); }
};

// c (+)= a · one panel of b at one position, where c has `rows` rows, c_row floats apart, and element (r, p)
// of a is a[r * a_row + p * a_step].
inline void multiply_panel(float* c, int64_t c_row, int64_t rows, const float* a, int64_t a_row,
                           int64_t a_step, const float* b, const Matrices& shape, int64_t panel,
                           bool accumulate) {
  int64_t first = panel * kVectors;
  auto width = static_cast<int>(smaller(kVectors, shape.vectors - first));
  for (int64_t i = 0; i < rows; i += kRows) {
    int64_t height = smaller(kRows, rows - i);
    Left<float> left{{}, a_step};
    for (int64_t r = 0; r < kRows; ++r) left.row[r] = a + (i + smaller(r, height - 1)) * a_row;
    micro(width, shape.rows, left, b + shape.in_panels(0, first), c + i * c_row, c_row, height, accumulate);
  }
}

// The tiles of 4×4 places that cover the result, image by image, row by row.
struct Tiles {
  explicit Tiles(const WinogradJob& j)
      : down(ceil_div(j.out.h, 4)), across(ceil_div(j.out.w, 4)), count(j.images * down * across) {}
  int64_t down, across, count;
};

struct Place {
  int64_t image, row, col;
};
inline Place place(const Tiles& tiles, int64_t tile) {
  return {tile / (tiles.down * tiles.across), tile / tiles.across % tiles.down * 4, tile % tiles.across * 4};
}

// Where the channels of the Side × Side pixels from a place on stand; pixels outside the image are `zeros`.
template <int Side>
struct Pixels {
  Pixels(const float* images, const WinogradJob::Side& s, const Place& at, const float* zeros) {
    for (int i = 0; i < Side; ++i) {
      for (int j = 0; j < Side; ++j) {
        int64_t row = at.row + i, col = at.col + j;
        bool inside = row >= 0 && row < s.h && col >= 0 && col < s.w;
        pixel[i][j] = inside ? images + ((at.image * s.h + row) * s.w + col) * s.channels : zeros;
      }
    }
  }
  const float* pixel[Side][Side];
};

// Transforms all channels of a tile; to(v) is where vector v of position 0 goes, `step` lies between
// positions. `later` is a tile to come: its lines are too far apart for the processor to see what follows.
template <class T, class To>
void transform_pixels(const Pixels<T::kFrom>& from, const Pixels<T::kFrom>& later, int64_t channels,
                      int64_t step, To&& to) {
  auto put = [&](float* base) {
    return [=](int i, int j, const Lanes& value) { store_lanes(base + (i * T::kTo + j) * step, value); };
  };
  int64_t c = 0;
  for (; c + kLane <= channels; c += kLane) {
    auto get = [&](int i, int j) {
      if (j >= T::kFrom - 4) __builtin_prefetch(later.pixel[i][j] + c, 0, 2);  // the others are a neighbour's
      return load_lanes(from.pixel[i][j] + c);
    };
    transform<T>(get, put(to(c / kLane)));
  }
  if (c == channels) return;
  transform<T>([&](int i, int j) { return load_lanes(from.pixel[i][j] + c, channels - c); },
               put(to(c / kLane)));
}

// Tiles [begin, end), counted from `first`, of x; vector c of tile t goes to v + at(t, c) at position 0.
template <class At>
void transform_input(const WinogradJob& j, const Tiles& tiles, int64_t first, int64_t begin, int64_t end,
                     const float* zeros, int64_t step, float* v, At&& at) {
  auto pixels = [&](int64_t tile) {
    Place p = place(tiles, smaller(tile, tiles.count - 1));
    return Pixels<6>(j.x, j.in, {p.image, p.row - j.padding_h, p.col - j.padding_w}, zeros);
  };
  for (int64_t t = begin; t < end; ++t) {
    transform_pixels<InputTransform>(pixels(first + t), pixels(first + t + kAhead), j.in.channels, step,
                                     [&](int64_t c) { return v + at(t, c); });
  }
}

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
