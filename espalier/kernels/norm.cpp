#include <espalier/kernels/norm.h>

#include <espalier/core/threads.h>
#include <espalier/kernels/channels_last.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/relu.h>
#include <espalier/kernels/row_major.h>

#include <cmath>
#include <optional>
#include <tuple>

namespace espalier::kernels {
namespace {

bool channels_inner(const Array& x) { return x.rank() == 2 || (x.rank() == 4 && x.is_channels_last()); }

BatchNormJob job(const Array& x) {
  int64_t channels = x.shape[1], outer = x.shape[0], inner = 1;
  int64_t& rest = channels_inner(x) ? outer : inner;
  for (int d = 2; d < x.rank(); ++d) rest *= x.shape[d];
  // In channels-last order a chunk is about 64 KB: the second look at it finds it in the cache.
  int64_t chunk = inner > 1 ? 1 : std::max<int64_t>(1, 16384 / channels);
  return {
      .dtype = x.dtype, .outer = outer, .channels = channels, .inner = inner, .chunk = chunk, .x = x.data()};
}

int64_t chunks(const BatchNormJob& j) { return (j.outer + j.chunk - 1) / j.chunk; }
int64_t elements(const BatchNormJob& j, int64_t chunk) {
  return std::min(j.chunk, j.outer - chunk * j.chunk) * j.inner;
}

Array coefficients(const Array* given, double otherwise, int64_t n, DType dtype) {
  Array a = Array::empty({n}, dtype);
  if (given) copy(a, *given);
  else fill(a, otherwise);
  return a;
}

// Mean and biased variance of a channel from what its chunks gave.
template <class T>
std::pair<double, double> moments_of_channel(const BatchNormJob& j, int64_t c) {
  using C = Compute<T>;
  auto* x = static_cast<const T*>(j.x);
  auto *first = static_cast<const C*>(j.first) + c, *second = static_cast<const C*>(j.second) + c;
  auto count = [&](int64_t k) { return static_cast<double>(elements(j, k)); };
  auto mean_of = [&](int64_t k) {
    auto pivot = static_cast<C>(x[(k * j.chunk * j.channels + c) * j.inner]);
    return static_cast<double>(first[k * j.channels]) + static_cast<double>(pivot);
  };
  double sum = 0, square = 0;
  for (int64_t k = 0; k < chunks(j); ++k) sum += count(k) * mean_of(k);
  double mean = sum / static_cast<double>(j.outer * j.inner);
  for (int64_t k = 0; k < chunks(j); ++k) {
    double off = mean_of(k) - mean;
    square += static_cast<double>(second[k * j.channels]) + count(k) * off * off;
  }
  return {mean, square / static_cast<double>(j.outer * j.inner)};
}

// What rounding `exact` (float64) to `rounded` left out; far from zero it matters.
Array left_out(const Array& exact, const Array& rounded) {
  Array rest = coefficients(&rounded, 0, exact.numel(), DType::float64);
  for (int64_t c = 0; c < exact.numel(); ++c)
    rest.data<double>()[c] = exact.data<double>()[c] - rest.data<double>()[c];
  return rest;
}

}  // namespace

DType stat_type(DType d) { return d == DType::float64 ? d : DType::float32; }

Array ordered_for_batch_norm(const Array& x) {
  if (x.rank() != 4 || x.is_contiguous()) return row_major(x);
  return channels_last(x);
}

Array ordered_like(const Array& x, const Array& like) {
  return like.rank() == 4 && like.is_channels_last() ? channels_last(x) : row_major(x);
}

void batch_moments(Array& mean, Array& var, const Array& x) {
  if (nothing_to_do(x)) return;
  BatchNormJob j = job(x);
  Array means = Array::empty({chunks(j), j.channels}, stat_type(x.dtype)), squares = Array::empty_like(means);
  j.first = means.data(), j.second = squares.data();
  batch_moments_chunks(j);
  auto each = [&]<class T>(T) {
    parallel_for(j.channels, 16, [&](int64_t begin, int64_t end) {
      for (int64_t c = begin; c < end; ++c) {
        std::tie(mean.data<double>()[c], var.data<double>()[c]) = moments_of_channel<T>(j, c);
      }
    });
  };
  visit_floating(x.dtype, each);
}

namespace {

// The second half of a batch normalisation, once its coefficients are known.
class BatchNormApply : public Fusible {
 public:
  BatchNormApply(const Array& y, const Array& x, Array mean, Array a, Array b)
      : Fusible(y), x_(x), mean_(mean), a_(a), b_(b) {}

  void relu(Array& y) const override { run(y, true); }
  Ref<Deferred> plus(const Array& y, const Array& other) const override {
    if (plus_) return {};
    auto work = make_ref<BatchNormApply>(y, *x_, mean_, a_, b_);
    work->plus_.emplace(other);
    return work;
  }

 protected:
  void compute(Array& y) const override { run(y, false); }

 private:
  void run(Array& y, bool relu) const {
    BatchNormJob j = job(*x_);
    j.out = y.data(), j.mean = mean_.data(), j.a = a_.data(), j.b = b_.data();
    j.plus = plus_ ? (*plus_)->data() : nullptr;
    j.relu = relu;
    batch_norm_apply(j);
  }

  Kept x_;
  Array mean_, a_, b_;
  std::optional<Kept> plus_;
};

// y as part of what gives x, if that was put off.
bool scaled_before(Array& y, const Array& x, const Scaling& by) {
  auto work = may_put_off(y) && y.strides == x.strides ? work_behind<Fusible>(x) : Ref<Fusible>();
  Ref<Deferred> scaled = work ? work->scaled(y, by) : Ref<Deferred>();
  if (scaled) put_off(y, scaled);
  return static_cast<bool>(scaled);
}

}  // namespace

void Scaling::factors(Array& scale, Array& shift) const {
  int64_t channels = mean.numel();
  scale = coefficients(weight, 1, channels, DType::float64);
  shift = coefficients(bias, 0, channels, DType::float64);
  Array middle = coefficients(&mean, 0, channels, DType::float64);
  Array spread = coefficients(&var, 0, channels, DType::float64);
  for (int64_t c = 0; c < channels; ++c) {
    double& a = scale.data<double>()[c];
    a /= std::sqrt(spread.data<double>()[c] + eps);
    shift.data<double>()[c] -= middle.data<double>()[c] * a;
  }
}

void batch_norm(Array& y, const Array& x, const Array& mean, const Array& var, const Array* weight,
                const Array* bias, double eps, bool reads_x_later) {
  if (nothing_to_do(y)) return;
  if (!reads_x_later && scaled_before(y, x, {mean, var, weight, bias, eps})) return;
  int64_t channels = x.shape[1];
  DType type = stat_type(x.dtype);
  Array middle = coefficients(&mean, 0, channels, type);
  Array a = coefficients(weight, 1, channels, DType::float64),
        b = coefficients(bias, 0, channels, DType::float64);
  Array exact = coefficients(&mean, 0, channels, DType::float64);
  Array spread = coefficients(&var, 0, channels, DType::float64), rest = left_out(exact, middle);
  for (int64_t c = 0; c < channels; ++c) {
    a.data<double>()[c] /= std::sqrt(spread.data<double>()[c] + eps);
    b.data<double>()[c] -= rest.data<double>()[c] * a.data<double>()[c];
  }
  a = coefficients(&a, 1, channels, type), b = coefficients(&b, 0, channels, type);
  put_off_or_compute(y, make_ref<BatchNormApply>(y, x, middle, a, b));
}

namespace {

// Fills in the gradient that a normalisation reads: that behind a ReLU which was put off, and the ReLU's
// result, where both lie in the order of x.
void read_gradient(BatchNormJob& j, const Array& g, const Array& x) {
  auto relu = work_behind<ReluBackward>(g);
  bool alike = relu && relu->g->strides == x.strides && relu->y->strides == x.strides &&
               relu->g->dtype == x.dtype && relu->y->dtype == x.dtype;
  j.g = alike ? relu->g->data() : g.data();
  j.mask = alike ? relu->y->data() : nullptr;
}

}  // namespace

void batch_norm_backward(Array& gx, Array& g_weight, Array& g_bias, const Array& g, const Array& x,
                         const Array& mean, const Array& var, const Array* weight, double eps) {
  if (nothing_to_do(gx)) return;
  BatchNormJob j = job(x);
  DType type = stat_type(x.dtype);
  Array middle = coefficients(&mean, 0, j.channels, type), rest = left_out(mean, middle);
  Array ones = Array::empty({chunks(j), j.channels}, type), others = Array::empty(ones.shape, type);
  read_gradient(j, g, x);
  j.mean = middle.data(), j.first = ones.data(), j.second = others.data();
  batch_norm_sums(j);
  sum_rows(g_bias, ones);
  sum_rows(g_weight, others);
  Array a = coefficients(weight, 1, j.channels, DType::float64), b = Array::empty_like(mean);
  Array d = Array::empty_like(mean);
  auto n = static_cast<double>(j.outer * j.inner);
  for (int64_t c = 0; c < j.channels; ++c) {
    double scale = 1 / std::sqrt(var.data<double>()[c] + eps), lost = rest.data<double>()[c];
    double &gw = g_weight.data<double>()[c], gb = g_bias.data<double>()[c];
    gw = (gw - lost * gb) * scale;
    a.data<double>()[c] *= scale;
    d.data<double>()[c] = gw * scale / n;
    b.data<double>()[c] = gb / n - lost * d.data<double>()[c];
  }
  a = coefficients(&a, 1, j.channels, type), b = coefficients(&b, 0, j.channels, type);
  d = coefficients(&d, 0, j.channels, type);
  j.out = gx.data(), j.a = a.data(), j.b = b.data(), j.c = d.data();
  batch_norm_gradient(j);
}

void update_running(Array& running, const Array& value, double momentum, double factor) {
  if (nothing_to_do(running)) return;
  Array now = coefficients(&running, 0, running.numel(), DType::float64);
  for (int64_t c = 0; c < now.numel(); ++c) {
    double& v = now.data<double>()[c];
    v = (1 - momentum) * v + momentum * factor * value.data<double>()[c];
  }
  copy(running, now);
}

void layer_norm(Array& y, Array& mean, Array& scale, const Array& x, const Array* weight, const Array* bias,
                double eps) {
  if (nothing_to_do(y)) return;
  int64_t n = x.shape[1];
  Array w = coefficients(weight, 1, n, mean.dtype), b = coefficients(bias, 0, n, mean.dtype);
  layer_norm_rows({.dtype = x.dtype,
                   .rows = x.shape[0],
                   .n = n,
                   .chunk = 1,
                   .eps = eps,
                   .x = x.data(),
                   .out = y.data(),
                   .mean = mean.data(),
                   .scale = scale.data(),
                   .weight = w.data(),
                   .bias = b.data()});
}

void layer_norm_backward(Array& gx, Array& g_weight, Array& g_bias, const Array& g, const Array& x,
                         const Array& mean, const Array& scale, const Array* weight) {
  if (nothing_to_do(gx)) return;
  int64_t rows = x.shape[0], n = x.shape[1], chunk = std::max<int64_t>(1, 65536 / n);
  Array w = coefficients(weight, 1, n, mean.dtype);
  Array ws = Array::empty({(rows + chunk - 1) / chunk, n}, mean.dtype),
        bs = Array::empty(ws.shape, mean.dtype);
  layer_norm_gradient_rows({.dtype = x.dtype,
                            .rows = rows,
                            .n = n,
                            .chunk = chunk,
                            .x = x.data(),
                            .g = g.data(),
                            .out = gx.data(),
                            .mean = mean.data(),
                            .scale = scale.data(),
                            .weight = w.data(),
                            .g_weight = ws.data(),
                            .g_bias = bs.data()});
  sum_rows(g_weight, ws);
  sum_rows(g_bias, bs);
}

}  // namespace espalier::kernels
