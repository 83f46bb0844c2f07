#include <espalier/kernels/bf16x3.h>

#include <algorithm>
#include <vector>

#include <espalier/core/threads.h>
#include <espalier/kernels/columns.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/packed.h>
#include <espalier/kernels/row_major.h>

// Convolutions as products of matrices for all images at once. The matrix that has, for each place of the
// result, the channels under each tap is gathered as it is read.
namespace espalier::kernels {
namespace {

// Places [images, h, w], `step` apart on images of which they read the pixels at some distances.
struct Places {
  int64_t images, h, w;
  Pair step;
  int64_t image_h, image_w, channels;
  std::vector<Pair> taps;  // distances

  int64_t count() const { return images * h * w; }
};

// What GatheredRows points to.
struct Rows {
  int64_t channels, count;
  std::vector<int64_t> tap;
  std::vector<float> zeros = std::vector<float>(static_cast<size_t>(channels));
  Array place = Array::empty({count}, DType::int64), inside = Array::empty({count}, DType::int64);

  GatheredRows of(const float* x) const {
    return {x, zeros.data(), count, channels, place.data<int64_t>(), inside.data<uint64_t>(), tap.data()};
  }
};

// For each of n places on an axis, a bit for each tap that is inside.
std::vector<uint64_t> inside_axis(int64_t n, int64_t step, int64_t size, const std::vector<Pair>& taps,
                                  int64_t Pair::*distance) {
  std::vector<uint64_t> inside(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    for (size_t t = 0; t < taps.size(); ++t) {
      int64_t at = i * step + taps[t].*distance;
      inside[static_cast<size_t>(i)] |= static_cast<uint64_t>(at >= 0 && at < size) << t;
    }
  }
  return inside;
}

// Calls f(number, image, i, j) for all places.
template <class F>
void each_place(const Places& p, F&& f) {
  parallel_for(p.images * p.h, 64, [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      for (int64_t j = 0; j < p.w; ++j) f(line * p.w + j, line / p.h, line % p.h, j);
    }
  });
}

Rows rows_of(const Places& p) {
  Rows rows{p.channels, p.count(), {}};
  for (const Pair& t : p.taps) rows.tap.push_back((t.h * p.image_w + t.w) * p.channels);
  auto inside_h = inside_axis(p.h, p.step.h, p.image_h, p.taps, &Pair::h);
  auto inside_w = inside_axis(p.w, p.step.w, p.image_w, p.taps, &Pair::w);
  each_place(p, [&, place = rows.place.data<int64_t>(), inside = rows.inside.data<uint64_t>()](
                    int64_t number, int64_t n, int64_t i, int64_t j) {
    place[number] = ((n * p.image_h + i * p.step.h) * p.image_w + j * p.step.w) * p.channels;
    inside[number] = inside_h[static_cast<size_t>(i)] & inside_w[static_cast<size_t>(j)];
  });
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

// Along an axis, the pixels first, first + stride, … of x are read by the places of y at these distances from
// their number, each by one tap.
struct Phase {
  struct Tap {
    int64_t number, distance;
  };
  int64_t first, count;
  std::vector<Tap> taps;
};

std::vector<Phase> phases_of(int64_t size, int64_t taps, int64_t stride, int64_t padding, int64_t dilation) {
  std::vector<Phase> phases;
  for (int64_t first = 0; first < std::min(stride, size); ++first) {
    Phase p{first, (size - first + stride - 1) / stride, {}};
    for (int64_t t = 0; t < taps; ++t) {
      int64_t at = first + padding - t * dilation;
      if (at % stride == 0) p.taps.push_back({t, at / stride});
    }
    phases.push_back(p);
  }
  return phases;
}

// The rows of `weights` [O, KH * KW * C] that the taps of two phases stand in: for each tap, [O, C].
Rows weight_rows(const Array& weights, const Phase& h, const Phase& w, int64_t taps_w, int64_t channels) {
  int64_t filters = weights.shape[0], row = 0;
  auto taps = static_cast<int64_t>(h.taps.size() * w.taps.size());
  Rows rows{channels, taps * filters, {0}};
  for (const Phase::Tap& i : h.taps) {
    for (const Phase::Tap& j : w.taps) {
      for (int64_t o = 0; o < filters; ++o, ++row) {
        rows.place.data<int64_t>()[row] = o * weights.shape[1] + (i.number * taps_w + j.number) * channels;
        rows.inside.data<uint64_t>()[row] = 1;
      }
    }
  }
  return rows;
}

// The pixels of gx that belong to two phases.
bool input_phase(Array& gx, const Array& weights, int64_t taps_w, const Array& g, const Pair& stride,
                 const Phase& h, const Phase& w) {
  Places p{g.shape[0], h.count, w.count, 1, g.shape[2], g.shape[3], g.shape[1], {}};
  for (const Phase::Tap& i : h.taps) {
    for (const Phase::Tap& j : w.taps) p.taps.push_back({i.distance, j.distance});
  }
  int64_t channels = gx.shape[1];
  Array row_at = Array::empty({p.count()}, DType::int64);
  each_place(p, [&, to = row_at.data<int64_t>()](int64_t number, int64_t n, int64_t i, int64_t j) {
    int64_t y = h.first + i * stride.h, x = w.first + j * stride.w;
    to[number] = ((n * gx.shape[2] + y) * gx.shape[3] + x) * channels;
  });
  Rows left = rows_of(p), right = weight_rows(weights, h, w, taps_w, channels);
  GatheredRows a = left.of(g.data<float>()), b = right.of(weights.data<float>());
  bool fits = false;
  gathered_gemm_bf16x3({.product = {.m = a.rows, .n = channels, .k = b.rows, .c = gx.data()},
                        .a = &a,
                        .b = &b,
                        .c_row_at = row_at.data<int64_t>()},
                       fits);
  return fits;
}

// y = columns · weightsᵀ, with a row of weights [KH * KW * C] for each channel of y.
Gemm forward_product(const Array& y, const Array& w, const float* weights, const float* bias, bool relu) {
  int64_t depth = w.numel() / w.shape[0];
  return {.m = y.numel() / y.shape[1],
          .n = y.shape[1],
          .k = depth,
          .b = weights,
          .b_row = 1,
          .b_col = depth,
          .c = y.data(),
          .c_row = y.shape[1],
          .bias = bias,
          .relu = relu};
}

// The weights split, where they stay the same; no storage else.
Array split_weights(const Array& y, const Array& w) {
  return packed_if_again(w, kPackedSplit, [&] {
    Array rows = tap_rows(w);
    Gemm product = forward_product(y, w, rows.data<float>(), nullptr, false);
    Array split = Array::empty({split_size(product)}, DType::uint8);
    split_b_bf16x3({product, split.data<uint8_t>()});
    return split;
  });
}

// Sums are deep, and numbers are used often enough for splitting them into parts.
bool pays(const Array& x, const Array& w, const Array& y, const ConvGeometry& c) {
  constexpr int64_t kManyChannels = 64, kDeep = 128, kManyPlaces = 32;
  int64_t taps = w.shape[2] * w.shape[3], in = x.shape[1], out = y.shape[1];
  return bf16x3() && y.dtype == DType::float32 && c.groups == 1 && taps <= GatheredRows::kMostTaps &&
         in % GatheredRows::kChannels == 0 && out % GatheredRows::kChannels == 0 &&
         std::min(in, out) >= kManyChannels && std::min(in, out) * taps >= kDeep &&
         y.numel() / y.shape[1] >= kManyPlaces;
}

}  // namespace

bool bf16x3_beats_winograd(const Shape& y) {
  constexpr int64_t kFewPlaces = 256;
  return bf16x3() && y.numel() / y[1] <= kFewPlaces;
}

bool conv2d_bf16x3(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& c,
                   bool relu) {
  if (!pays(x, w, y, c)) return false;
  Rows rows = rows_of(places_of(y, x, w, c));
  GatheredRows a = rows.of(x.data<float>());
  Array split = split_weights(y, w), row = bias ? row_major(*bias) : Array();
  Array weights = split.storage ? Array() : tap_rows(w, true);
  Gemm product = forward_product(y, w, split.storage ? nullptr : weights.data<float>(),
                                 bias ? row.data<float>() : nullptr, relu);
  bool fits = false;
  gathered_gemm_bf16x3(
      {.product = product, .a = &a, .split_b = split.storage ? split.data<uint8_t>() : nullptr}, fits);
  return fits;
}

bool conv2d_input_bf16x3(Array& gx, const Array& w, const Array& g, const ConvGeometry& c) {
  if (!pays(gx, w, g, c)) return false;
  auto rows = phases_of(gx.shape[2], w.shape[2], c.stride.h, c.padding.h, c.dilation.h);
  auto cols = phases_of(gx.shape[3], w.shape[3], c.stride.w, c.padding.w, c.dilation.w);
  auto unread = [](const Phase& p) { return p.taps.empty(); };
  if (std::ranges::any_of(rows, unread) || std::ranges::any_of(cols, unread)) fill(gx, 0);
  Array weights = tap_rows(w, true);
  for (const Phase& h : rows) {
    for (const Phase& v : cols) {
      if (unread(h) || unread(v)) continue;
      if (!input_phase(gx, weights, w.shape[3], g, c.stride, h, v)) return false;
    }
  }
  return true;
}

bool conv2d_weight_bf16x3(Array& gw, const Array& x, const Array& g, const ConvGeometry& c) {
  if (!pays(x, gw, g, c)) return false;
  Rows rows = rows_of(places_of(g, x, gw, c));
  GatheredRows b = rows.of(x.data<float>());
  Array taps = Array::empty({gw.shape[0], gw.shape[2], gw.shape[3], gw.shape[1]}, gw.dtype);
  bool fits = false;
  gathered_gemm_bf16x3({.product = {.m = g.shape[1],
                                    .n = taps.strides[0],
                                    .k = b.rows,
                                    .a = g.data(),
                                    .a_row = 1,
                                    .a_col = g.shape[1],
                                    .c = taps.data(),
                                    .c_row = taps.strides[0]},
                        .b = &b},
                       fits);
  if (fits) copy(gw, taps.view(gw.shape, {taps.strides[0], 1, taps.strides[1], taps.strides[2]}, 0));
  return fits;
}

}  // namespace espalier::kernels
