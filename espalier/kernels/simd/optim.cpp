#include <espalier/kernels/optim.h>
#include <espalier/kernels/simd/denormals.h>

// The order of operations is PyTorch's (torch.optim, foreach=False), so that results differ by roundings
// alone.
namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

float root(float x) { return __builtin_sqrtf(x); }
double root(double x) { return __builtin_sqrt(x); }

template <bool Value>
struct Flag {
  static constexpr bool value = Value;
};

template <class F>
void with_flags(bool a, bool b, F f) {
  if (a && b) f(Flag<true>{}, Flag<true>{});
  else if (a) f(Flag<true>{}, Flag<false>{});
  else if (b) f(Flag<false>{}, Flag<true>{});
  else f(Flag<false>{}, Flag<false>{});
}

template <class T, bool Decay, bool Momentum>
void sgd_pass(const SgdPart& s, int64_t begin, int64_t end) {
  using C = Compute<T>;
  T* __restrict p = static_cast<T*>(s.parameter);
  const T* __restrict grad = static_cast<const T*>(s.grad);
  T* __restrict buffer = Momentum ? static_cast<T*>(s.buffer) : nullptr;
  const C sign = s.maximize ? -1 : 1, decay = C(s.weight_decay), momentum = C(s.momentum);
  const C fresh = C(1 - s.dampening), lr = C(s.lr);
  const bool nesterov = s.nesterov;
  for (int64_t i = begin; i < end; ++i) {
    C g = sign * C(grad[i]);
    if constexpr (Decay) g += decay * C(p[i]);
    if constexpr (Momentum) {
      C b = momentum * C(buffer[i]) + fresh * g;
      buffer[i] = T(b);
      g = nesterov ? g + momentum * b : b;
    }
    p[i] = T(C(p[i]) - lr * g);
  }
}

template <class T, bool Decay, bool Amsgrad>
void adam_pass(const AdamPart& s, int64_t begin, int64_t end) {
  using C = Compute<T>;
  T* __restrict p = static_cast<T*>(s.parameter);
  const T* __restrict grad = static_cast<const T*>(s.grad);
  T* __restrict exp_avg = static_cast<T*>(s.exp_avg);
  T* __restrict exp_avg_sq = static_cast<T*>(s.exp_avg_sq);
  T* __restrict max_sq = Amsgrad ? static_cast<T*>(s.max_exp_avg_sq) : nullptr;
  const C sign = s.maximize ? -1 : 1, decay = C(s.weight_decay), shrink = C(s.shrink);
  const C lerp = C(1 - s.beta1), beta2 = C(s.beta2), fresh = C(1 - s.beta2);
  const bool from_old = lerp < C(0.5);  // as torch.lerp: start from the nearer end
  const C toward = from_old ? lerp : lerp - 1;
  const C step = C(-s.step_size), unbias = C(1 / s.bias2_sqrt), eps = C(s.eps);
  for (int64_t i = begin; i < end; ++i) {
    C g = sign * C(grad[i]);
    if constexpr (Decay) g += decay * C(p[i]);
    C m = C(exp_avg[i]);
    m = (from_old ? m : g) + toward * (g - m);
    C v = beta2 * C(exp_avg_sq[i]) + fresh * g * g;
    exp_avg[i] = T(m);
    exp_avg_sq[i] = T(v);
    if constexpr (Amsgrad) {
      C old = C(max_sq[i]);
      v = old > v || old != old ? old : v;
      max_sq[i] = T(v);
    }
    p[i] = T(shrink * C(p[i]) + step * m / (root(v) * unbias + eps));
  }
}

void sgd_range(const SgdPart& s, int64_t begin, int64_t end) {
  NoDenormals flush;
  visit_floating(s.dtype, [&]<class T>(T) {
    with_flags(s.weight_decay != 0, s.momentum != 0,
               [&]<class D, class M>(D, M) { sgd_pass<T, D::value, M::value>(s, begin, end); });
  });
}

void adam_range(const AdamPart& s, int64_t begin, int64_t end) {
  NoDenormals flush;
  visit_floating(s.dtype, [&]<class T>(T) {
    with_flags(s.weight_decay != 0, s.amsgrad,
               [&]<class D, class A>(D, A) { adam_pass<T, D::value, A::value>(s, begin, end); });
  });
}

ESPALIER_OFFER(sgd, sgd_range)
ESPALIER_OFFER(adam, adam_range)

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
