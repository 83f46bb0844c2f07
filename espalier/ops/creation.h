#pragma once

#include <espalier/autograd/tensor.h>
#include <espalier/core/random.h>
#include <espalier/core/shared.h>

#include <initializer_list>
#include <optional>
#include <vector>

namespace espalier {

struct TensorOptions {
  std::optional<DType> dtype = std::nullopt;  // absent: float32, or what the function says
  bool requires_grad = false;
};

Tensor empty(const Shape& shape, TensorOptions options = {});  // not initialised
Tensor zeros(const Shape& shape, TensorOptions options = {});
Tensor ones(const Shape& shape, TensorOptions options = {});
// The dtype is the value's kind: float32, int64 or bool.
Tensor full(const Shape& shape, Scalar value, TensorOptions options = {});

// The shape, dtype and order in memory of x.
Tensor empty_like(const Tensor& x, TensorOptions options = {});
Tensor zeros_like(const Tensor& x, TensorOptions options = {});
Tensor ones_like(const Tensor& x, TensorOptions options = {});
Tensor full_like(const Tensor& x, Scalar value, TensorOptions options = {});
Tensor rand_like(const Tensor& x, TensorOptions options = {});
Tensor randn_like(const Tensor& x, TensorOptions options = {});

// start, start + step, … before end. int64 when all three are integers.
Tensor arange(Scalar end, TensorOptions options = {});
Tensor arange(Scalar start, Scalar end, Scalar step = 1, TensorOptions options = {});
// `steps` values from start to end, both included.
Tensor linspace(double start, double end, int64_t steps, TensorOptions options = {});
// Ones on the diagonal of an n × n (n × m) matrix.
Tensor eye(int64_t n, TensorOptions options = {});
Tensor eye(int64_t n, int64_t m, TensorOptions options = {});

// Random numbers from the default generator, PyTorch's for the same seed.
Tensor rand(const Shape& shape, TensorOptions options = {});   // uniform in [0, 1)
Tensor randn(const Shape& shape, TensorOptions options = {});  // standard normal
// Integers in [low, high), int64 by default.
Tensor randint(int64_t high, const Shape& shape, TensorOptions options = {});
Tensor randint(int64_t low, int64_t high, const Shape& shape, TensorOptions options = {});
Tensor randperm(int64_t n, TensorOptions options = {});  // 0 … n-1 in random order, int64 by default

// Numbers in braces, nested as the tensor is: tensor({{1, 2}, {3, 4}}). The dtype is that of the highest kind
// among them: float32, int64 or bool. Throws ShapeError where rows differ in length.
class Nested {
 public:
  template <class T>
  requires std::is_arithmetic_v<T> Nested(T value) : Nested(Scalar(value)) {}
  Nested(Scalar value);
  Nested(std::initializer_list<Nested> rows);
  const Shape& shape() const { return shape_; }
  const std::vector<Scalar>& values() const { return values_; }

 private:
  Shape shape_;
  std::vector<Scalar> values_;
};
Tensor tensor(const Nested& values, TensorOptions options = {});
Tensor tensor(const Nested& values, const Shape& shape, TensorOptions options = {});

// The values of a vector, with its element type as dtype, in one dimension or the given shape.
template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape, TensorOptions options = {});
template <class T>
Tensor tensor(const std::vector<T>& values, TensorOptions options = {}) {
  return tensor(values, Shape{static_cast<int64_t>(values.size())}, options);
}

// Memory of the caller's in row-major order, not copied. `owner`, if given, is kept as long as the tensor
// lives; without it the caller must keep the memory.
Tensor from_blob(void* data, const Shape& shape, DType dtype, Owner owner = nullptr);

}  // namespace espalier
