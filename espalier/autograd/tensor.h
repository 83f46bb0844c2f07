#pragma once

#include <initializer_list>
#include <iosfwd>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <espalier/core/array.h>
#include <espalier/core/callable.h>
#include <espalier/core/error.h>
#include <espalier/core/ref.h>
#include <espalier/core/scalar.h>

namespace espalier {

class Node;
class Tensor;
struct TensorBody;

// Elements start, start + step, … before stop. Negative positions count from the end; an absent one is the
// end of the dimension. The step is at least 1.
struct Slice {
  std::optional<int64_t> start = std::nullopt, stop = std::nullopt;
  int64_t step = 1;
};
struct Ellipsis {};  // as many full slices as are needed
struct NewAxis {};   // a new dimension of size 1
inline constexpr Ellipsis ellipsis{};
inline constexpr NewAxis newaxis{};

// What stands between the brackets of x[…] in PyTorch: a position, a slice, `...`, None, or a tensor of
// positions or of bools.
class TensorIndex;

// A number of elements of one dtype with a shape, and its place on the tape. A handle: copies are the same
// tensor; clone() copies the values. Default-constructed it is undefined, which stands for "none" (no bias,
// no gradient). Operations follow PyTorch's names and meaning; each is documented at the free function of the
// same name (ops/).
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Array array, bool requires_grad = false);

  bool defined() const { return body_.get() != nullptr; }
  inline const Array& array() const;  // throws ValueError when undefined
  const Shape& shape() const { return array().shape; }
  int64_t size(int64_t dim) const;
  int dim() const { return array().rank(); }
  int64_t numel() const { return array().numel(); }
  DType dtype() const { return array().dtype; }
  const Strides& strides() const { return array().strides; }
  bool is_contiguous() const { return array().is_contiguous(); }
  bool is_floating_point() const { return espalier::is_floating_point(dtype()); }
  bool is_same(const Tensor& other) const { return body_ == other.body_; }

  // The first element's address; T must be the dtype's type (throws DTypeError). Elements lie as strides()
  // say. Kernels keep nothing computed from a weight whose address was given out: it may change any time.
  template <class T>
  T* data() const {
    check_type(dtype_of<T>());
    array().storage->expose();
    return array().data<T>();
  }
  // The value of a tensor of one element, converted to T.
  template <class T>
  T item() const {
    return item_scalar().template to<T>();
  }
  Scalar item_scalar() const;
  // All values in row-major order, converted to T.
  template <class T>
  std::vector<T> to_vector() const;

  // ---- the tape
  inline bool requires_grad() const;
  // Throws GradError for a dtype that is not floating point, or when switched off on a computed tensor.
  Tensor& requires_grad_(bool on = true);
  inline bool is_leaf() const;
  Tensor grad() const;  // undefined where there is none
  void set_grad(Tensor grad);
  Tensor detach() const;  // the same storage, outside the tape
  // Adds d(this)/d(leaf) to the gradient of every leaf it was computed from. `gradient` is the cotangent,
  // needed unless this has one element. The graph's saved values are released unless retain_graph.
  struct BackwardOptions {
    bool retain_graph = false;
    bool create_graph = false;  // record the gradients' own computation; implies retain_graph
  };
  void backward(const Tensor& gradient, BackwardOptions options) const;
  void backward(const Tensor& gradient = {}) const { backward(gradient, {}); }
  void retain_grad();
  // Calls hook with the gradient of this tensor whenever it has been computed; a defined result replaces it.
  void register_hook(Callable<Tensor(const Tensor&)> hook) const;
  Node* grad_fn() const;

  // ---- values
  Tensor clone() const;
  Tensor contiguous() const;
  Tensor to(DType dtype) const;
  Tensor& copy_(const Tensor& source);
  Tensor& fill_(Scalar value);
  Tensor& zero_() { return fill_(0); }
  Tensor& add_(const Tensor& other, Scalar alpha = 1);
  Tensor& sub_(const Tensor& other, Scalar alpha = 1);
  Tensor& mul_(const Tensor& other);
  Tensor& div_(const Tensor& other);
  Tensor& add_(Scalar other);
  Tensor& sub_(Scalar other);
  Tensor& mul_(Scalar other);
  Tensor& div_(Scalar other);
  Tensor& clamp_(std::optional<Scalar> min, std::optional<Scalar> max);
  Tensor& uniform_(double from = 0, double to = 1);
  Tensor& normal_(double mean = 0, double std = 1);
  Tensor& bernoulli_(double p = 0.5);

  // ---- shape
  Tensor reshape(const Shape& shape) const;  // one size may be -1
  Tensor view(const Shape& shape) const;     // as reshape, but never copies
  Tensor flatten(int64_t start_dim = 0, int64_t end_dim = -1) const;
  Tensor unflatten(int64_t dim, const Shape& sizes) const;
  Tensor squeeze() const;
  Tensor squeeze(int64_t dim) const;
  Tensor unsqueeze(int64_t dim) const;
  Tensor transpose(int64_t dim0, int64_t dim1) const;
  Tensor t() const;
  Tensor permute(const Dims& dims) const;
  Tensor expand(const Shape& shape) const;  // -1 keeps a size
  Tensor expand_as(const Tensor& other) const { return expand(other.shape()); }
  Tensor repeat(const Shape& repeats) const;
  Tensor flip(const Dims& dims) const;
  Tensor select(int64_t dim, int64_t index) const;
  Tensor slice(int64_t dim, std::optional<int64_t> start, std::optional<int64_t> stop,
               int64_t step = 1) const;
  Tensor narrow(int64_t dim, int64_t start, int64_t length) const;
  std::vector<Tensor> split(int64_t size, int64_t dim = 0) const;
  std::vector<Tensor> chunk(int64_t chunks, int64_t dim = 0) const;
  std::vector<Tensor> unbind(int64_t dim = 0) const;
  Tensor diagonal() const;
  Tensor tril(int64_t diagonal = 0) const;
  Tensor triu(int64_t diagonal = 0) const;
  // The sum over the dimensions in which `shape` broadcasts to this tensor's shape.
  Tensor sum_to_size(const Shape& shape) const;

  // ---- indexing
  Tensor operator[](int64_t index) const { return select(0, index); }
  Tensor operator[](const Tensor& index) const;
  Tensor index(std::initializer_list<TensorIndex> indices) const;
  Tensor& index_put_(std::initializer_list<TensorIndex> indices, const Tensor& values);
  Tensor index_select(int64_t dim, const Tensor& index) const;
  Tensor gather(int64_t dim, const Tensor& index) const;
  Tensor scatter(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor scatter_add(int64_t dim, const Tensor& index, const Tensor& source) const;
  Tensor masked_fill(const Tensor& mask, Scalar value) const;
  Tensor masked_select(const Tensor& mask) const;
  Tensor nonzero() const;

  // ---- elementwise
  Tensor abs() const;
  Tensor neg() const;
  Tensor exp() const;
  Tensor log() const;
  Tensor log1p() const;
  Tensor expm1() const;
  Tensor sqrt() const;
  Tensor rsqrt() const;
  Tensor square() const;
  Tensor reciprocal() const;
  Tensor sin() const;
  Tensor cos() const;
  Tensor tanh() const;
  Tensor erf() const;
  Tensor sign() const;
  Tensor floor() const;
  Tensor ceil() const;
  Tensor round() const;
  Tensor trunc() const;
  Tensor sigmoid() const;
  Tensor relu() const;
  Tensor clamp(std::optional<Scalar> min, std::optional<Scalar> max) const;
  Tensor isnan() const;
  Tensor isinf() const;
  Tensor isfinite() const;
  Tensor logical_not() const;
  Tensor pow(Scalar exponent) const;
  Tensor pow(const Tensor& exponent) const;
  Tensor maximum(const Tensor& other) const;
  Tensor minimum(const Tensor& other) const;
  Tensor remainder(const Tensor& other) const;
  Tensor remainder(Scalar other) const;
  Tensor floor_divide(const Tensor& other) const;
  Tensor floor_divide(Scalar other) const;
  // Comparisons give a bool tensor.
  Tensor eq(const Tensor& other) const;
  Tensor ne(const Tensor& other) const;
  Tensor lt(const Tensor& other) const;
  Tensor le(const Tensor& other) const;
  Tensor gt(const Tensor& other) const;
  Tensor ge(const Tensor& other) const;
  Tensor eq(Scalar other) const;
  Tensor ne(Scalar other) const;
  Tensor lt(Scalar other) const;
  Tensor le(Scalar other) const;
  Tensor gt(Scalar other) const;
  Tensor ge(Scalar other) const;

  // ---- reductions
  Tensor sum() const;
  Tensor sum(const Dims& dims, bool keepdim = false) const;
  Tensor mean() const;
  Tensor mean(const Dims& dims, bool keepdim = false) const;
  Tensor prod() const;
  Tensor prod(int64_t dim, bool keepdim = false) const;
  Tensor var(const Dims& dims = Shape(), double correction = 1, bool keepdim = false) const;
  Tensor std(const Dims& dims = Shape(), double correction = 1, bool keepdim = false) const;
  Tensor norm() const;
  Tensor logsumexp(const Dims& dims, bool keepdim = false) const;
  Tensor amax(const Dims& dims = Shape(), bool keepdim = false) const;
  Tensor amin(const Dims& dims = Shape(), bool keepdim = false) const;
  Tensor max() const;
  Tensor min() const;
  std::pair<Tensor, Tensor> max(int64_t dim, bool keepdim = false) const;  // values, indices of the first
  std::pair<Tensor, Tensor> min(int64_t dim, bool keepdim = false) const;
  Tensor argmax() const;
  Tensor argmax(int64_t dim, bool keepdim = false) const;
  Tensor argmin() const;
  Tensor argmin(int64_t dim, bool keepdim = false) const;
  Tensor any() const;
  Tensor any(int64_t dim, bool keepdim = false) const;
  Tensor all() const;
  Tensor all(int64_t dim, bool keepdim = false) const;
  Tensor cumsum(int64_t dim) const;
  std::pair<Tensor, Tensor> sort(int64_t dim = -1, bool descending = false) const;  // stable
  Tensor argsort(int64_t dim = -1, bool descending = false) const;
  std::pair<Tensor, Tensor> topk(int64_t k, int64_t dim = -1, bool largest = true) const;
  Tensor softmax(int64_t dim) const;
  Tensor log_softmax(int64_t dim) const;

  // ---- products
  Tensor matmul(const Tensor& other) const;

  TensorBody* body() const { return body_.get(); }
  explicit Tensor(Ref<TensorBody> body) : body_(std::move(body)) {}

 private:
  void check_type(DType wanted) const;
  [[noreturn]] static void throw_undefined();

  Ref<TensorBody> body_;
};

// What a tensor is: its elements and its place on the tape.
struct TensorBody : RefCounted<TensorBody> {
  explicit TensorBody(Array a);
  ~TensorBody();
  static void* operator new(size_t bytes);
  static void operator delete(void* p, size_t bytes) noexcept;

  Array array;
  Ref<Node> node;  // what computed it; null for a leaf
  Tensor grad;
  bool requires_grad = false;                          // of a leaf
  bool is_view = false;                                // shares another tensor's storage
  std::vector<Callable<Tensor(const Tensor&)>> hooks;  // of a leaf
};

inline const Array& Tensor::array() const {
  if (!body_) [[unlikely]]
    throw_undefined();
  return body_->array;
}
inline bool Tensor::requires_grad() const { return body_ && (body_->requires_grad || body_->node.get()); }
inline bool Tensor::is_leaf() const { return !body_ || !body_->node.get(); }

class TensorIndex {
 public:
  enum class Kind : uint8_t { position, slice, ellipsis, new_axis, tensor };

  TensorIndex(int position) : TensorIndex(int64_t{position}) {}
  TensorIndex(int64_t position) : kind_(Kind::position), position_(position) {}
  TensorIndex(Slice slice) : kind_(Kind::slice), slice_(slice) {}
  TensorIndex(Ellipsis) : kind_(Kind::ellipsis) {}
  TensorIndex(NewAxis) : kind_(Kind::new_axis) {}
  TensorIndex(Tensor index) : kind_(Kind::tensor), tensor_(std::move(index)) {}

  Kind kind() const { return kind_; }
  // What an index of that kind holds.
  int64_t position() const { return position_; }
  const Slice& slice() const { return slice_; }
  const Tensor& tensor() const { return tensor_; }

 private:
  Kind kind_;
  int64_t position_ = 0;
  Slice slice_;
  Tensor tensor_;
};

Tensor operator+(const Tensor& a, const Tensor& b);
Tensor operator-(const Tensor& a, const Tensor& b);
Tensor operator*(const Tensor& a, const Tensor& b);
Tensor operator/(const Tensor& a, const Tensor& b);
Tensor operator+(const Tensor& a, Scalar b);
Tensor operator-(const Tensor& a, Scalar b);
Tensor operator*(const Tensor& a, Scalar b);
Tensor operator/(const Tensor& a, Scalar b);
Tensor operator+(Scalar a, const Tensor& b);
Tensor operator-(Scalar a, const Tensor& b);
Tensor operator*(Scalar a, const Tensor& b);
Tensor operator/(Scalar a, const Tensor& b);
Tensor operator-(const Tensor& a);
inline Tensor& operator+=(Tensor& a, const Tensor& b) { return a.add_(b); }
inline Tensor& operator-=(Tensor& a, const Tensor& b) { return a.sub_(b); }
inline Tensor& operator*=(Tensor& a, const Tensor& b) { return a.mul_(b); }
inline Tensor& operator/=(Tensor& a, const Tensor& b) { return a.div_(b); }
inline Tensor& operator+=(Tensor& a, Scalar b) { return a.add_(b); }
inline Tensor& operator-=(Tensor& a, Scalar b) { return a.sub_(b); }
inline Tensor& operator*=(Tensor& a, Scalar b) { return a.mul_(b); }
inline Tensor& operator/=(Tensor& a, Scalar b) { return a.div_(b); }
inline Tensor operator==(const Tensor& a, const Tensor& b) { return a.eq(b); }
inline Tensor operator!=(const Tensor& a, const Tensor& b) { return a.ne(b); }
inline Tensor operator<(const Tensor& a, const Tensor& b) { return a.lt(b); }
inline Tensor operator<=(const Tensor& a, const Tensor& b) { return a.le(b); }
inline Tensor operator>(const Tensor& a, const Tensor& b) { return a.gt(b); }
inline Tensor operator>=(const Tensor& a, const Tensor& b) { return a.ge(b); }
inline Tensor operator==(const Tensor& a, Scalar b) { return a.eq(b); }
inline Tensor operator!=(const Tensor& a, Scalar b) { return a.ne(b); }
inline Tensor operator<(const Tensor& a, Scalar b) { return a.lt(b); }
inline Tensor operator<=(const Tensor& a, Scalar b) { return a.le(b); }
inline Tensor operator>(const Tensor& a, Scalar b) { return a.gt(b); }
inline Tensor operator>=(const Tensor& a, Scalar b) { return a.ge(b); }

// As PyTorch prints: tensor([[1., 2.], [3., 4.]]), long dimensions shortened.
std::ostream& operator<<(std::ostream& out, const Tensor& x);
std::string to_string(const Tensor& x);

// d(sum of outputs · cotangents)/d(inputs), one a input; an input that has no part in it is an error unless
// allow_unused (then its gradient is undefined). Leaves' own gradients are not touched.
struct GradOptions {
  std::vector<Tensor> grad_outputs = {};  // cotangents; needed for outputs of more than one element
  bool retain_graph = false;
  bool create_graph = false;
  bool allow_unused = false;
};
std::vector<Tensor> grad(const std::vector<Tensor>& outputs, const std::vector<Tensor>& inputs,
                         const GradOptions& options = {});
inline std::vector<Tensor> grad(const Tensor& output, const std::vector<Tensor>& inputs,
                                const GradOptions& options = {}) {
  return grad(std::vector<Tensor>{output}, inputs, options);
}

}  // namespace espalier
