#include <espalier/autograd/tensor.h>

#include <espalier/autograd/node.h>
#include <espalier/autograd/record.h>

namespace espalier {

Tensor::Tensor(Array array, bool requires_grad) : body_(make_ref<TensorBody>(std::move(array))) {
  if (requires_grad) requires_grad_();
}

void Tensor::throw_undefined() {
  throw ValueError(
      "the tensor is undefined: it was default-constructed, moved from, or is a gradient that was never "
      "computed");
}

int64_t Tensor::size(int64_t dim) const { return shape()[wrap_dim("size", dim, this->dim())]; }

void Tensor::check_type(DType wanted) const {
  require<DTypeError>(dtype() == wanted, "data<", wanted, ">() of a tensor of dtype ", dtype(),
                      "; convert it with to(", wanted, ")");
  detail::settle_readers(*this);  // the address lets the caller write
}

Scalar Tensor::item_scalar() const {
  require<ShapeError>(numel() == 1, "item() needs a tensor of one element, got ", shape());
  return visit_dtype(dtype(), [&]<class T>(T) { return Scalar(*array().data<T>()); });
}

template <class T>
std::vector<T> Tensor::to_vector() const {
  Tensor dense = detach().contiguous();
  std::vector<T> out(static_cast<size_t>(dense.numel()));
  visit_dtype(dense.dtype(), [&]<class S>(S) {
    const S* p = dense.array().data<S>();
    for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<T>(static_cast<Compute<S>>(p[i]));
  });
  return out;
}
template std::vector<float> Tensor::to_vector<float>() const;
template std::vector<double> Tensor::to_vector<double>() const;
template std::vector<int64_t> Tensor::to_vector<int64_t>() const;
template std::vector<int32_t> Tensor::to_vector<int32_t>() const;
template std::vector<uint8_t> Tensor::to_vector<uint8_t>() const;
template std::vector<bool> Tensor::to_vector<bool>() const;

Tensor& Tensor::requires_grad_(bool on) {
  require<DTypeError>(!on || is_floating_point(),
                      "requires_grad_: only floating point tensors have gradients, this is ", dtype());
  require<GradError>(is_leaf() || on, "requires_grad_(false): this tensor was computed by ",
                     is_leaf() ? "" : body_->node->op(), "; use detach()");
  if (is_leaf()) body_->requires_grad = on;
  return *this;
}

Tensor Tensor::grad() const { return defined() ? body_->grad : Tensor(); }

void Tensor::set_grad(Tensor grad) {
  require<ShapeError>(!grad.defined() || grad.shape() == shape(), "set_grad: the gradient of a tensor ",
                      shape(), " has its shape, got ", grad.defined() ? grad.shape() : Shape());
  body_->grad = std::move(grad);
}

Tensor Tensor::detach() const { return Tensor(array()); }
Node* Tensor::grad_fn() const { return defined() ? body_->node.get() : nullptr; }

void Tensor::retain_grad() {
  if (!is_leaf()) body_->node->retains_grad = body_.get();
}

void Tensor::register_hook(Callable<Tensor(const Tensor&)> hook) const {
  require<GradError>(requires_grad(),
                     "register_hook: this tensor needs no gradient, so the hook would never run");
  (is_leaf() ? body_->hooks : body_->node->hooks).push_back(std::move(hook));
}

}  // namespace espalier
