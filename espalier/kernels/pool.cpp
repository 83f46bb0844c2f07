#include <espalier/kernels/pool.h>

#include <espalier/kernels/channels_last.h>
#include <espalier/kernels/row_major.h>

namespace espalier::kernels {
namespace {

Array in_order(const Array& x, const Pooling& p) { return p.channels_last ? channels_last(x) : row_major(x); }

// `in` has the shape of what is pooled.
PoolJob job(const Array& in, const Array& out, const Array* at, const Pooling& p) {
  auto axis = [](const PoolAxis& a) {
    return PoolJob::Axis{a.in, static_cast<int64_t>(a.windows.size()), a.step, a.windows.data()};
  };
  int64_t n = in.shape[0], c = in.shape[1];
  return {.dtype = in.dtype,
          .images = p.channels_last ? n : n * c,
          .channels = p.channels_last ? c : 1,
          .h = axis(p.h),
          .w = axis(p.w),
          .in = in.data(),
          .out = out.data(),
          .at = at ? at->data<int32_t>() : nullptr};
}

}  // namespace

void max_pool2d(Array& y, Array* at, const Array& x, const Pooling& p) {
  if (nothing_to_do(y)) return;
  max_pool_images(job(in_order(x, p), y, at, p));
}

void max_pool2d_scatter(Array& gx, const Array& g, const Array& at, const Pooling& p) {
  if (nothing_to_do(gx)) return;
  max_scatter_images(job(gx, in_order(g, p), &at, p));
}

void avg_pool2d(Array& y, const Array& x, const Pooling& p) {
  if (nothing_to_do(y)) return;
  avg_pool_images(job(in_order(x, p), y, nullptr, p));
}

void avg_pool2d_input(Array& gx, const Array& g, const Pooling& p) {
  if (nothing_to_do(gx)) return;
  avg_scatter_images(job(gx, in_order(g, p), nullptr, p));
}

void max_pool2d_gather(Array& y, const Array& x, const Array& at, const Pooling& p) {
  if (nothing_to_do(y)) return;
  Array source = in_order(x, p);
  PoolJob j = job(source, y, &at, p);
  int64_t places = j.h.out * j.w.out * j.channels, pixels = j.h.in * j.w.in * j.channels;
  visit_floating(y.dtype, [&]<class T>(T) {
    auto* to = static_cast<T*>(j.out);
    auto* from = static_cast<const T*>(j.in);
    for (int64_t i = 0; i < j.images * places; ++i) {
      to[i] = j.at[i] < 0 ? T(0) : from[i / places * pixels + j.at[i] * j.channels + i % j.channels];
    }
  });
}

}  // namespace espalier::kernels
