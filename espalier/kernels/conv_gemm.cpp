#include <espalier/core/threads.h>
#include <espalier/kernels/conv.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/gemm.h>

// Convolution as a product of matrices: for each image and group, `columns` has a row for each place of the
// output and a column for each weight of a filter.
namespace espalier::kernels {
namespace {

// Sizes of one image and group.
struct Sizes {
  int64_t c, h, w, o, kh, kw, oh, ow;
  int64_t places() const { return oh * ow; }
  int64_t taps() const { return c * kh * kw; }
};

Sizes sizes_of(const Array& x, const Array& w, const Array& y, int64_t groups) {
  return {w.shape[1], x.shape[2], x.shape[3], w.shape[0] / groups,
          w.shape[2], w.shape[3], y.shape[2], y.shape[3]};
}

// Calls f(tap, h, w) for the taps of channel c at a place, with the row and column of x; they may lie
// outside.
template <class F>
void each_tap(const Sizes& s, const ConvGeometry& g, int64_t place, int64_t c, F&& f) {
  int64_t h0 = place / s.ow * g.stride.h - g.padding.h, w0 = place % s.ow * g.stride.w - g.padding.w;
  int64_t tap = c * s.kh * s.kw;
  for (int64_t i = 0; i < s.kh; ++i) {
    for (int64_t j = 0; j < s.kw; ++j) f(tap++, h0 + i * g.dilation.h, w0 + j * g.dilation.w);
  }
}

bool inside(const Sizes& s, int64_t h, int64_t w) { return h >= 0 && h < s.h && w >= 0 && w < s.w; }

template <class T>
void gather_columns(T* columns, const T* x, const Strides& step, const Sizes& s, const ConvGeometry& g) {
  parallel_for(s.places(), 64, [&](int64_t begin, int64_t end) {
    for (int64_t place = begin; place < end; ++place) {
      for (int64_t c = 0; c < s.c; ++c) {
        each_tap(s, g, place, c, [&](int64_t tap, int64_t h, int64_t w) {
          columns[place * s.taps() + tap] =
              inside(s, h, w) ? x[c * step[1] + h * step[2] + w * step[3]] : T(0);
        });
      }
    }
  });
}

template <class T>
void add_columns(T* x, const Strides& step, const T* columns, const Sizes& s, const ConvGeometry& g) {
  parallel_for(s.c, 1, [&](int64_t begin, int64_t end) {
    for (int64_t c = begin; c < end; ++c) {
      for (int64_t place = 0; place < s.places(); ++place) {
        each_tap(s, g, place, c, [&](int64_t tap, int64_t h, int64_t w) {
          if (inside(s, h, w)) x[c * step[1] + h * step[2] + w * step[3]] += columns[place * s.taps() + tap];
        });
      }
    }
  });
}

template <class T>
auto& gemm_of() {
  if constexpr (sizeof(T) == 8) return gemm_double;
  else return gemm_float;
}

// Calls f(image, group's x, weights, y) for every group of the images [begin, end).
template <class T, class F>
void each_group(int64_t begin, int64_t end, const Array& x, const Array& w, const Array& y, const Sizes& s,
                int64_t groups, F&& f) {
  for (int64_t n = begin; n < end; ++n) {
    for (int64_t g = 0; g < groups; ++g) {
      f(n, x.data<T>() + n * x.strides[0] + g * s.c * x.strides[1], w.data<T>() + g * s.o * s.taps(),
        y.data<T>() + n * y.strides[0] + g * s.o * y.strides[1]);
    }
  }
}

template <class T>
void forward(Array& y, const Array& x, const Array& w, bool accumulate, const ConvGeometry& c) {
  Sizes s = sizes_of(x, w, y, c.groups);
  parallel_for(x.shape[0], 1, [&](int64_t begin, int64_t end) {
    Array buffer = Array::empty({s.places(), s.taps()}, y.dtype);
    T* columns = buffer.data<T>();
    each_group<T>(begin, end, x, w, y, s, c.groups, [&](int64_t, const T* xg, const T* wg, T* yg) {
      gather_columns(columns, xg, x.strides, s, c);
      gemm_of<T>()(
          {s.places(), s.o, s.taps(), columns, s.taps(), 1, wg, 1, s.taps(), yg, y.strides[3], accumulate});
    });
  });
}

template <class T>
void input(Array& gx, const Array& w, const Array& g, const ConvGeometry& c) {
  Sizes s = sizes_of(gx, w, g, c.groups);
  fill(gx, 0);
  parallel_for(gx.shape[0], 1, [&](int64_t begin, int64_t end) {
    Array buffer = Array::empty({s.places(), s.taps()}, gx.dtype);
    T* columns = buffer.data<T>();
    each_group<T>(begin, end, gx, w, g, s, c.groups, [&](int64_t, T* xg, const T* wg, const T* yg) {
      gemm_of<T>()(
          {s.places(), s.taps(), s.o, yg, g.strides[3], 1, wg, s.taps(), 1, columns, s.taps(), false});
      add_columns(xg, gx.strides, columns, s, c);
    });
  });
}

template <class T>
void weight(Array& gw, const Array& x, const Array& g, const ConvGeometry& c) {
  Sizes s = sizes_of(x, gw, g, c.groups);
  Array buffer = Array::empty({s.places(), s.taps()}, gw.dtype);
  T* columns = buffer.data<T>();
  each_group<T>(0, x.shape[0], x, gw, g, s, c.groups, [&](int64_t n, const T* xg, T* wg, const T* yg) {
    gather_columns(columns, xg, x.strides, s, c);
    gemm_of<T>()({s.o, s.taps(), s.places(), yg, 1, g.strides[3], columns, s.taps(), 1, wg, s.taps(), n > 0});
  });
}

}  // namespace

void conv2d_by_gemm(Array& y, const Array& x, const Array& w, const Array* bias,
                    const ConvGeometry& geometry) {
  if (bias) copy(y, bias->view({y.shape[1], 1, 1}, {bias->strides[0], 0, 0}, bias->offset));
  if (y.dtype == DType::float64) forward<double>(y, x, w, bias, geometry);
  else forward<float>(y, x, w, bias, geometry);
}

void conv2d_input_by_gemm(Array& gx, const Array& w, const Array& g, const ConvGeometry& geometry) {
  if (gx.dtype == DType::float64) input<double>(gx, w, g, geometry);
  else input<float>(gx, w, g, geometry);
}

void conv2d_weight_by_gemm(Array& gw, const Array& x, const Array& g, const ConvGeometry& geometry) {
  if (gw.dtype == DType::float64) weight<double>(gw, x, g, geometry);
  else weight<float>(gw, x, g, geometry);
}

}  // namespace espalier::kernels
