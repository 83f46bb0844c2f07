#include <espalier/kernels/bf16x3.h>
#include <espalier/kernels/columns.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/row_major.h>

#include <algorithm>

// Convolutions as products of matrices for all images at once. The matrix that has, for each place of the
// result, the channels under each tap is gathered as it is read.
namespace espalier::kernels {
namespace {

// Places [images, h, w], `step` apart on an image of which they read the pixels at some distances.
struct Places {
  int64_t images, h, w;
  Pair step;
  int64_t image_h, image_w, channels;
  std::vector<Pair> taps;  // distances
};

// What GatheredRows points to.
struct Rows {
  std::vector<int64_t> place, tap;
  std::vector<uint64_t> inside;
  std::vector<float> zeros;
  int64_t channels;

  GatheredRows of(const float* x) const {
    return {x,         zeros.data(), static_cast<int64_t>(place.size()),
            channels,  place.data(), inside.data(),
            tap.data()};
  }
};

// For each of n places on an axis, the taps that are inside.
template <class F>
std::vector<uint64_t> inside_axis(int64_t n, int64_t step, int64_t size, const std::vector<Pair>& taps,
                                  F&& distance) {
  std::vector<uint64_t> inside(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    for (size_t t = 0; t < taps.size(); ++t) {
      int64_t at = i * step + distance(taps[t]);
      inside[static_cast<size_t>(i)] |= static_cast<uint64_t>(at >= 0 && at < size) << t;
    }
  }
  return inside;
}

Rows rows_of(const Places& p) {
  Rows rows;
  rows.channels = p.channels;
  rows.zeros.resize(static_cast<size_t>(p.channels));
  for (const Pair& t : p.taps) rows.tap.push_back((t.h * p.image_w + t.w) * p.channels);
  auto inside_h = inside_axis(p.h, p.step.h, p.image_h, p.taps, [](const Pair& t) { return t.h; });
  auto inside_w = inside_axis(p.w, p.step.w, p.image_w, p.taps, [](const Pair& t) { return t.w; });
  auto count = static_cast<size_t>(p.images * p.h * p.w);
  rows.place.reserve(count), rows.inside.reserve(count);
  for (int64_t n = 0; n < p.images; ++n) {
    for (int64_t i = 0; i < p.h; ++i) {
      for (int64_t j = 0; j < p.w; ++j) {
        rows.place.push_back(((n * p.image_h + i * p.step.h) * p.image_w + j * p.step.w) * p.channels);
        rows.inside.push_back(inside_h[static_cast<size_t>(i)] & inside_w[static_cast<size_t>(j)]);
      }
    }
  }
  return rows;
}

// The places of y on x.
Places places_of(const Array& y, const Array& x, const Array& w, const ConvGeometry& c) {
  Places p{y.shape[0], y.shape[2], y.shape[3], c.stride, x.shape[2], x.shape[3], x.shape[1], {}};
  for (int64_t i = 0; i < w.shape[2]; ++i) {
    for (int64_t j = 0; j < w.shape[3]; ++j) {
      p.taps.push_back({i * c.dilation.h - c.padding.h, j * c.dilation.w - c.padding.w});
    }
  }
  return p;
}

bool pays(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
  constexpr int64_t kManyPlaces = 256, kManyChannels = 64;
  return bf16x3() && y.dtype == DType::float32 && c.groups == 1 &&
         w.shape[2] * w.shape[3] <= GatheredRows::kMostTaps && x.shape[1] % GatheredRows::kChannels == 0 &&
         y.shape[1] % GatheredRows::kChannels == 0 && x.shape[1] >= kManyChannels &&
         y.shape[1] >= kManyChannels && y.shape[0] * y.shape[2] * y.shape[3] >= kManyPlaces;
}

}  // namespace

bool conv2d_bf16x3(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& c,
                   bool relu) {
  if (!pays(x, w, y, c)) return false;
  Rows rows = rows_of(places_of(y, x, w, c));
  GatheredRows a = rows.of(x.data<float>());
  Array b = tap_rows(w, true), row = bias ? row_major(*bias) : Array();
  bool fits;
  gathered_gemm_bf16x3({.product = {.m = a.rows,
                                    .n = y.shape[1],
                                    .k = b.shape[1],
                                    .b = b.data(),
                                    .b_row = 1,
                                    .b_col = b.shape[1],
                                    .c = y.data(),
                                    .c_row = y.shape[1],
                                    .bias = bias ? row.data() : nullptr,
                                    .relu = relu},
                        .a = &a},
                       fits);
  return fits;
}

namespace {

// Along an axis, the pixels first, first + stride, … read the places of the result at these distances from
// their number, each by one tap.
struct Phase {
  int64_t first, count;
  std::vector<std::pair<int64_t, int64_t>> taps;  // tap, distance
};

std::vector<Phase> phases_of(int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation) {
  std::vector<Phase> phases;
  for (int64_t first = 0; first < std::min(stride, size); ++first) {
    Phase p{first, (size - first + stride - 1) / stride, {}};
    for (int64_t t = 0; t < taps; ++t) {
      int64_t at = first + padding - t * dilation;
      if (at % stride == 0) p.taps.emplace_back(t, at / stride);
    }
    phases.push_back(p);
  }
  return phases;
}

bool input_phase(Array& gx, const Array& taps, int64_t taps_w, const Array& g, const ConvGeometry& c,
                 const Phase& h, const Phase& w) {
  int64_t channels = gx.shape[1], filters = g.shape[1];
  Places p{g.shape[0], h.count, w.count, 1, g.shape[2], g.shape[3], filters, {}};
  Rows weights{{}, {0}, {}, {}, channels};
  for (auto [i, at_h] : h.taps) {
    for (auto [j, at_w] : w.taps) {
      p.taps.push_back({at_h, at_w});
      for (int64_t o = 0; o < filters; ++o) {
        weights.place.push_back(o * taps.shape[1] + (i * taps_w + j) * channels);
      }
    }
  }
  weights.inside.resize(weights.place.size(), 1);
  weights.zeros.resize(static_cast<size_t>(channels));
  std::vector<int64_t> row_at;
  for (int64_t n = 0; n < p.images; ++n) {
    for (int64_t i = 0; i < h.count; ++i) {
      for (int64_t j = 0; j < w.count; ++j) {
        int64_t y = h.first + i * c.stride.h, x = w.first + j * c.stride.w;
        row_at.push_back(((n * gx.shape[2] + y) * gx.shape[3] + x) * channels);
      }
    }
  }
  Rows rows = rows_of(p);
  GatheredRows a = rows.of(g.data<float>()), b = weights.of(taps.data<float>());
  bool fits;
  gathered_gemm_bf16x3(
      {.product = {.m = a.rows, .n = channels, .k = b.rows, .c = gx.data(), .c_row = channels},
       .a = &a,
       .b = &b,
       .c_row_at = row_at.data()},
      fits);
  return fits;
}

}  // namespace

bool conv2d_input_bf16x3(Array& gx, const Array& w, const Array& g, const ConvGeometry& c) {
  if (!pays(gx, w, g, c)) return false;
  auto rows = phases_of(gx.shape[2], w.shape[2], c.stride.h, c.padding.h, c.dilation.h);
  auto cols = phases_of(gx.shape[3], w.shape[3], c.stride.w, c.padding.w, c.dilation.w);
  auto empty = [](const Phase& p) { return p.taps.empty(); };
  if (std::ranges::any_of(rows, empty) || std::ranges::any_of(cols, empty)) fill(gx, 0);
  Array taps = tap_rows(w, true);
  for (const Phase& h : rows) {
    for (const Phase& v : cols) {
      if (!empty(h) && !empty(v) && !input_phase(gx, taps, w.shape[3], g, c, h, v)) return false;
    }
  }
  return true;
}

bool conv2d_weight_bf16x3(Array& gw, const Array& x, const Array& g, const ConvGeometry& c) {
  if (!pays(x, gw, g, c)) return false;
  Rows rows = rows_of(places_of(g, x, gw, c));
  GatheredRows b = rows.of(x.data<float>());
  int64_t columns = gw.numel() / gw.shape[0];
  Array taps = Array::empty({gw.shape[0], gw.shape[2], gw.shape[3], gw.shape[1]}, gw.dtype);
  bool fits;
  gathered_gemm_bf16x3({.product = {.m = g.shape[1],
                                    .n = columns,
                                    .k = b.rows,
                                    .a = g.data(),
                                    .a_row = 1,
                                    .a_col = g.shape[1],
                                    .c = taps.data(),
                                    .c_row = columns},
                        .b = &b},
                       fits);
  if (fits) copy(gw, taps.view(gw.shape, {taps.strides[0], 1, taps.strides[1], taps.strides[2]}, 0));
  return fits;
}

}  // namespace espalier::kernels
