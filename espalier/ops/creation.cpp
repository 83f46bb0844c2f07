#include <espalier/kernels/elementwise.h>
#include <espalier/ops/creation.h>

#include <algorithm>
#include <cmath>

namespace espalier {
namespace {

void check_shape(const char* op, const Shape& shape) {
  for (int64_t d : shape) require<ShapeError>(d >= 0, op, ": sizes can't be negative, got ", shape);
}

Tensor made(Array a, const TensorOptions& options) { return Tensor(std::move(a), options.requires_grad); }

Array space(const char* op, const Shape& shape, DType dtype) {
  check_shape(op, shape);
  return Array::empty(shape, dtype);
}

Array space_like(const Tensor& x, const TensorOptions& options) {
  return Array::empty_like(x.array(), options.dtype.value_or(x.dtype()));
}

Tensor filled(Array a, Scalar value, const TensorOptions& options) {
  kernels::fill(a, value);
  return made(std::move(a), options);
}

DType kind_dtype(Scalar::Kind kind) {
  if (kind == Scalar::Kind::boolean) return DType::boolean;
  return kind == Scalar::Kind::integer ? DType::int64 : DType::float32;
}

// Writes f(i), computed in double or int64, to element i of a new one-dimensional array.
template <class F>
Array sequence(int64_t n, DType dtype, F&& f) {
  Array a = Array::empty({n}, dtype);
  if (nothing_to_do(a)) return a;
  visit_dtype(dtype, [&]<class T>(T) {
    T* p = a.data<T>();
    for (int64_t i = 0; i < n; ++i) p[i] = static_cast<T>(static_cast<Compute<T>>(f(i)));
  });
  return a;
}

int64_t arange_size(Scalar start, Scalar end, Scalar step, bool integers) {
  require<ValueError>(step.to_double() != 0, "arange: the step can't be 0");
  if (integers) {
    int64_t width = checked_add(end.to_int64(), -start.to_int64(), "arange"), s = step.to_int64();
    require<ValueError>((width >= 0) == (s > 0) || width == 0, "arange: no way from ", start.to_int64(),
                        " to ", end.to_int64(), " with step ", s);
    return width / s + (width % s != 0);
  }
  double size = std::ceil((end.to_double() - start.to_double()) / step.to_double());
  require<ValueError>(size >= 0 && size < 0x1p62, "arange: no way from ", start.to_double(), " to ",
                      end.to_double(), " with step ", step.to_double());
  return static_cast<int64_t>(size);
}

bool is_integer(Scalar s) { return s.kind() != Scalar::Kind::floating; }

}  // namespace

Tensor empty(const Shape& shape, TensorOptions options) {
  return made(space("empty", shape, options.dtype.value_or(float32)), options);
}
Tensor zeros(const Shape& shape, TensorOptions options) {
  return filled(space("zeros", shape, options.dtype.value_or(float32)), 0, options);
}
Tensor ones(const Shape& shape, TensorOptions options) {
  return filled(space("ones", shape, options.dtype.value_or(float32)), 1, options);
}
Tensor full(const Shape& shape, Scalar value, TensorOptions options) {
  return filled(space("full", shape, options.dtype.value_or(kind_dtype(value.kind()))), value, options);
}

Tensor empty_like(const Tensor& x, TensorOptions options) { return made(space_like(x, options), options); }
Tensor zeros_like(const Tensor& x, TensorOptions options) {
  return filled(space_like(x, options), 0, options);
}
Tensor ones_like(const Tensor& x, TensorOptions options) {
  return filled(space_like(x, options), 1, options);
}
Tensor full_like(const Tensor& x, Scalar value, TensorOptions options) {
  return filled(space_like(x, options), value, options);
}
Tensor rand_like(const Tensor& x, TensorOptions options) {
  Array a = space_like(x, options);
  default_generator().uniform(a, 0, 1);
  return made(std::move(a), options);
}
Tensor randn_like(const Tensor& x, TensorOptions options) {
  Array a = space_like(x, options);
  default_generator().normal(a, 0, 1);
  return made(std::move(a), options);
}

Tensor arange(Scalar end, TensorOptions options) { return arange(0, end, 1, options); }

Tensor arange(Scalar start, Scalar end, Scalar step, TensorOptions options) {
  bool integers = is_integer(start) && is_integer(end) && is_integer(step);
  DType dtype = options.dtype.value_or(integers ? int64 : float32);
  int64_t n = arange_size(start, end, step, integers);
  if (integers) {
    return made(sequence(n, dtype, [=](int64_t i) { return start.to_int64() + i * step.to_int64(); }),
                options);
  }
  return made(sequence(n, dtype, [=](int64_t i) { return start.to_double() + i * step.to_double(); }),
              options);
}

Tensor linspace(double start, double end, int64_t steps, TensorOptions options) {
  require<ValueError>(steps >= 0, "linspace: the number of steps can't be negative, got ", steps);
  double step = steps > 1 ? (end - start) / static_cast<double>(steps - 1) : 0;
  auto value = [=](int64_t i) {  // from both ends, so that the last value is `end`
    return i < steps / 2 || steps == 1 ? start + step * i : end - step * (steps - 1 - i);
  };
  return made(sequence(steps, options.dtype.value_or(float32), value), options);
}

Tensor eye(int64_t n, TensorOptions options) { return eye(n, n, options); }
Tensor eye(int64_t n, int64_t m, TensorOptions options) {
  Array a = space("eye", {n, m}, options.dtype.value_or(float32));
  kernels::fill(a, 0);
  Array diagonal = a.view({std::min(n, m)}, {m + 1}, 0);
  kernels::fill(diagonal, 1);
  return made(std::move(a), options);
}

Tensor rand(const Shape& shape, TensorOptions options) {
  Array a = space("rand", shape, options.dtype.value_or(float32));
  default_generator().uniform(a, 0, 1);
  return made(std::move(a), options);
}
Tensor randn(const Shape& shape, TensorOptions options) {
  Array a = space("randn", shape, options.dtype.value_or(float32));
  default_generator().normal(a, 0, 1);
  return made(std::move(a), options);
}
Tensor randint(int64_t high, const Shape& shape, TensorOptions options) {
  return randint(0, high, shape, options);
}
Tensor randint(int64_t low, int64_t high, const Shape& shape, TensorOptions options) {
  Array a = space("randint", shape, options.dtype.value_or(int64));
  default_generator().randint(a, low, high);
  return made(std::move(a), options);
}
Tensor randperm(int64_t n, TensorOptions options) {
  std::vector<int64_t> order = default_generator().randperm(n);
  return tensor(order, {options.dtype.value_or(int64), options.requires_grad});
}

Nested::Nested(Scalar value) : values_{value} {}
Nested::Nested(std::initializer_list<Nested> rows) {
  if (rows.size() > 0) shape_ = rows.begin()->shape_;
  for (const Nested& row : rows) {
    require<ShapeError>(row.shape_ == shape_, "tensor: rows differ in shape, ", shape_, " and ", row.shape_);
    values_.insert(values_.end(), row.values_.begin(), row.values_.end());
  }
  shape_.insert(0, static_cast<int64_t>(rows.size()));
}

Tensor tensor(const Nested& values, TensorOptions options) {
  auto kind = Scalar::Kind::boolean;
  for (Scalar s : values.values()) kind = std::max(kind, s.kind());
  if (values.values().empty()) kind = Scalar::Kind::floating;
  Array a = Array::empty(values.shape(), options.dtype.value_or(kind_dtype(kind)));
  if (nothing_to_do(a)) return made(std::move(a), options);
  visit_dtype(a.dtype, [&]<class T>(T) {
    std::transform(values.values().begin(), values.values().end(), a.data<T>(),
                   [](Scalar s) { return s.to<T>(); });
  });
  return made(std::move(a), options);
}
Tensor tensor(const Nested& values, const Shape& shape, TensorOptions options) {
  Tensor flat = tensor(values, {.dtype = options.dtype});
  require<ShapeError>(flat.numel() == shape.numel(), "tensor: ", flat.numel(), " values for the shape ",
                      shape);
  return made(flat.array().view(shape, contiguous_strides(shape), 0), options);
}

template <class T>
Tensor tensor(const std::vector<T>& values, const Shape& shape, TensorOptions options) {
  check_shape("tensor", shape);
  require<ShapeError>(static_cast<int64_t>(values.size()) == shape.numel(),
                      "tensor: ", static_cast<int64_t>(values.size()), " values for the shape ", shape);
  Array a = Array::empty(shape, options.dtype.value_or(dtype_of<T>()));
  if (nothing_to_do(a)) return made(std::move(a), options);
  visit_dtype(a.dtype, [&]<class To>(To) {
    To* p = a.data<To>();
    for (size_t i = 0; i < values.size(); ++i) p[i] = static_cast<To>(static_cast<Compute<To>>(T(values[i])));
  });
  return made(std::move(a), options);
}
template Tensor tensor(const std::vector<float>&, const Shape&, TensorOptions);
template Tensor tensor(const std::vector<double>&, const Shape&, TensorOptions);
template Tensor tensor(const std::vector<int64_t>&, const Shape&, TensorOptions);
template Tensor tensor(const std::vector<int32_t>&, const Shape&, TensorOptions);
template Tensor tensor(const std::vector<uint8_t>&, const Shape&, TensorOptions);
template Tensor tensor(const std::vector<bool>&, const Shape&, TensorOptions);

Tensor from_blob(void* data, const Shape& shape, DType dtype, Owner owner) {
  check_shape("from_blob", shape);
  int64_t bytes = checked_mul(shape.numel(), itemsize(dtype), "from_blob");
  return Tensor(
      Array{Storage::borrow(data, bytes, std::move(owner)), 0, shape, contiguous_strides(shape), dtype});
}

}  // namespace espalier
