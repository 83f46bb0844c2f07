#include <espalier/autograd/autocast.h>

#include <unordered_map>

#include <espalier/autograd/node.h>
#include <espalier/autograd/record.h>
#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/packed.h>

namespace espalier {
namespace {

// The operations that don't simply follow their inputs, as PyTorch 2.13 has them for CPUs.
struct Rule {
  std::string_view op;
  DType dtype;
};
constexpr Rule kRules[] = {
    {"conv2d", DType::bfloat16},
    {"linear", DType::bfloat16},
    {"matmul", DType::bfloat16},
    {"scaled_dot_product_attention", DType::bfloat16},
    {"binary_cross_entropy_with_logits", DType::float32},
    {"cross_entropy", DType::float32},
    {"l1_loss", DType::float32},
    {"mse_loss", DType::float32},
    {"nll_loss", DType::float32},
};

thread_local bool enabled_now = false;

// A parameter's cast, so that one that is used more than once is cast once and its gradients are summed
// before they are cast back.
struct Cast {
  Tensor parameter, value;
  uint64_t version;
};
thread_local std::unordered_map<const TensorBody*, Cast> casts;  // of the outermost scope

bool is_cast(DType d) { return d == DType::float32 || d == DType::bfloat16; }

Tensor lowered_parameter(const Tensor& x, DType dtype) {
  uint64_t version = x.array().storage->version();
  Cast& cast = casts[x.body()];
  bool usable = cast.value.defined() && cast.version == version && !cast.value.grad_fn()->released();
  if (!usable) cast = {x, x.to(dtype), version};
  return cast.value;
}

// Without a tape: weights that do not change are cast once for all scopes.
Tensor lowered(const Tensor& x, DType dtype) {
  if (shapes_only()) return x.to(dtype);
  Array y = kernels::packed(x.array(), kernels::kPackedBfloat16, [&] {
    Array fresh = Array::empty_like(x.array(), dtype);
    kernels::copy(fresh, x.array());
    return fresh;
  });
  return record("to", {x}, y, {{"dtype", name(dtype).data()}});
}

}  // namespace

Autocast::Autocast(DType dtype, bool enabled) : before_(enabled_now) {
  require<ValueError>(dtype == DType::bfloat16, "Autocast: the dtype must be bfloat16, got ", dtype);
  enabled_now = enabled;
}

Autocast::~Autocast() {
  enabled_now = before_;
  if (!enabled_now) casts.clear();
}

bool autocast_enabled() { return enabled_now; }

namespace detail {

void Casts::decide(const char* op, const Inputs& inputs) {
  for (const Rule& rule : kRules) {
    if (rule.op == op) dtype_ = rule.dtype, wanted_ = true;
  }
  if (!wanted_) return;
  wanted_ = false;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) continue;
    DType d = inputs[i].dtype();
    if (is_cast(d) && d != dtype_) wanted_ = true;
  }
}

Tensor Casts::operator()(const Tensor& x) const {
  if (!x.defined() || !is_cast(x.dtype()) || x.dtype() == dtype_) return x;
  if (dtype_ == DType::float32) return x.to(dtype_);
  bool taped = grad_enabled() && x.requires_grad();
  if (!taped) return lowered(x, dtype_);
  return x.is_leaf() ? lowered_parameter(x, dtype_) : x.to(dtype_);
}

}  // namespace detail
}  // namespace espalier
