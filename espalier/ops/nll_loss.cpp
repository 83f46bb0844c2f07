#include <algorithm>

#include <espalier/autograd/autocast.h>
#include <espalier/ops/floating.h>
#include <espalier/ops/labels.h>

namespace espalier {
namespace detail {
namespace {

void check_shapes(const char* op, const Tensor& x, const Tensor& target, const Tensor& weight) {
  require<ShapeError>(x.dim() > 0, op,
                      ": the input has no dimension of classes; it must be [N, C, ...] or [C]");
  Shape wanted = x.shape();
  wanted.erase(class_dim(x));
  require<ShapeError>(target.shape() == wanted, op, ": labels for an input of ", x.shape(),
                      " must have the shape ", wanted, ", got ", target.shape());
  int64_t classes = x.size(class_dim(x));
  require<ShapeError>(!weight.defined() || weight.shape() == Shape{classes}, op, ": the weight must be [",
                      classes, "], one for each class, got ", weight.defined() ? weight.shape() : Shape());
}

void check_range(const char* op, const Array& index, int64_t classes, int64_t ignore) {
  const int64_t *begin = index.data<int64_t>(), *end = begin + index.numel();
  auto outside = [=](int64_t label) { return label != ignore && (label < 0 || label >= classes); };
  const int64_t* bad = std::find_if(begin, end, outside);
  require<IndexError>(bad == end, op, ": label ", bad == end ? 0 : *bad, " at position ",
                      unravel(bad - begin, index.shape), " is outside of the ", classes, " classes 0 to ",
                      classes - 1, " (ignore_index is ", ignore, ")");
}

double total_weight(const Array& index, const Tensor& weight, int64_t ignore) {
  const int64_t *begin = index.data<int64_t>(), *end = begin + index.numel();
  if (!weight.defined()) return static_cast<double>(end - begin - std::count(begin, end, ignore));
  auto w = weight.to_vector<double>();
  double total = 0;
  for (const int64_t* p = begin; p < end; ++p) total += *p == ignore ? 0 : w[*p];
  return total;
}

// x in row-major order, not recorded as an operation.
Tensor converted(const Tensor& x, DType dtype) {
  if (!x.defined() || (x.dtype() == dtype && x.is_contiguous())) return x;
  Array y = Array::empty(x.shape(), dtype);
  kernels::copy(y, x.array());
  return Tensor(y);
}

}  // namespace

Labels labels(const char* op, const Tensor& x, const Tensor& target, const Tensor& weight,
              int64_t ignore_index) {
  DType d = target.dtype();
  require<DTypeError>(d == int64 || d == int32 || d == uint8, op,
                      ": labels must be int64, int32 or uint8, got ", d);
  check_shapes(op, x, target, weight);
  Tensor index = converted(target, int64), w = converted(weight, x.dtype());
  Labels out{saved(index), saved(w), ignore_index, 1};
  if (nothing_to_do(index.array())) {
    out.total = 0;
  } else {
    check_range(op, index.array(), x.size(class_dim(x)), ignore_index);
    out.total = total_weight(index.array(), w, ignore_index);
  }
  return out;
}

kernels::Labels Labels::arrays() const {
  return {index->array(), weight->defined() ? &weight->array() : nullptr, ignore};
}

Tensor nll(const Tensor& x, const Labels& labels) {
  Array y = Array::empty(labels.index->shape(), x.dtype());
  kernels::nll(y, x.array(), labels.arrays());
  return record(
      "nll_loss", {x, *labels.index, *labels.weight}, y, {{"ignore_index", labels.ignore}},
      [labels, shape = x.shape()](const Tensor& g) { return grads(nll_backward(g, labels, shape)); });
}

Tensor nll_backward(const Tensor& g, const Labels& labels, const Shape& shape) {
  Array gx = Array::empty(shape, g.dtype());
  kernels::nll_backward(gx, g.array(), labels.arrays());
  return record("nll_loss_backward", {g, *labels.index, *labels.weight}, gx,
                {{"ignore_index", labels.ignore}},
                [labels](const Tensor& gg) { return grads(nll(gg, labels)); });
}

}  // namespace detail

Tensor nll_loss(const Tensor& log_probs, const Tensor& target, const NllLossOptions& options) {
  if (detail::Casts to("nll_loss", {log_probs}); to) return nll_loss(to(log_probs), target, options);
  detail::check_floating("nll_loss", log_probs);
  auto labels = detail::labels("nll_loss", log_probs, target, options.weight, options.ignore_index);
  return detail::reduced(detail::nll(log_probs, labels), options.reduction, labels.total);
}

}  // namespace espalier
