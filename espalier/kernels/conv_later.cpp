#include <optional>

#include <espalier/kernels/conv.h>
#include <espalier/kernels/converted.h>
#include <espalier/kernels/fusible.h>
#include <espalier/kernels/packed.h>

namespace espalier::kernels {
namespace {

class Convolution : public Fusible {
 public:
  Convolution(const Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry)
      : Fusible(y), x_(x), w_(w), geometry_(geometry) {
    if (bias) bias_.emplace(*bias);
  }

  void relu(Array& y) const override { run(y, true); }

  Ref<Deferred> plus(const Array& y, const Array& other) const override {
    if (plus_) return {};
    auto work = make_ref<Convolution>(y, *x_, *w_, bias_ ? &**bias_ : nullptr, geometry_);
    work->plus_.emplace(other);
    return work;
  }

  // Other weights and another bias, to be kept; where they can't be, only if making them costs far less than
  // a pass over y.
  Ref<Deferred> scaled(const Array& y, const Scaling& by) const override {
    if (plus_) return {};
    std::vector<const Array*> others{&by.mean, &by.var};
    for (const Array* a : {by.weight, by.bias, bias_ ? &**bias_ : nullptr}) {
      if (a) others.push_back(a);
    }
    int64_t which = kPackedScaled + (by.weight ? 1 : 0) + (by.bias ? 2 : 0);
    Array both = packed_together(
        *w_, others, by.eps, which, [&] { return weights_and_bias(by); }, 8 * w_->numel() <= y.numel());
    if (!both.storage) return {};
    Array bias = both.view({w_->shape[0]}, {1}, both.offset + w_->numel());
    return make_ref<Convolution>(y, *x_, both.view(w_->shape, contiguous_strides(w_->shape), both.offset),
                                 &bias, geometry_);
  }

 protected:
  void compute(Array& y) const override { run(y, false); }

 private:
  // Scaled, one behind the other.
  Array weights_and_bias(const Scaling& by) const {
    int64_t channels = w_->shape[0], n = w_->numel();
    Array both = Array::empty({n + channels}, w_->dtype), scale, shift;
    by.factors(scale, shift);
    Array w = both.view(w_->shape, contiguous_strides(w_->shape), 0), bias = both.view({channels}, {1}, n);
    elementwise(mul, compute_type(w.dtype), w,
                {*w_, scale.view({channels, 1, 1, 1}, {1, 0, 0, 0}, scale.offset)});
    Array exact = converted(bias_ ? **bias_ : shift, DType::float64);
    for (int64_t c = 0; c < channels && bias_; ++c) {
      double& b = exact.data<double>()[c];
      b = b * scale.data<double>()[c] + shift.data<double>()[c];
    }
    copy(bias, exact);
    return both;
  }

  void run(Array& y, bool relu) const {
    conv2d(y, *x_, *w_, bias_ ? &**bias_ : nullptr, geometry_, relu && !plus_);
    if (plus_) elementwise(relu ? add_relu : add, compute_type(y.dtype), y, {y, **plus_});
  }

  Kept x_, w_;
  std::optional<Kept> bias_, plus_;
  ConvGeometry geometry_;
};

}  // namespace

void conv2d_later(Array& y, const Array& x, const Array& w, const Array* bias, const ConvGeometry& geometry) {
  if (may_put_off(y)) return put_off(y, make_ref<Convolution>(y, x, w, bias, geometry));
  conv2d(y, x, w, bias, geometry);
}

}  // namespace espalier::kernels
