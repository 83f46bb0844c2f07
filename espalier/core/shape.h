#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

namespace espalier {

inline constexpr int kMaxRank = 8;

// Sizes (or strides, in elements) of up to kMaxRank dimensions, without heap memory. Works like a
// std::vector<int64_t>. Sizes are never negative; the functions that take them from outside check that.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<int64_t> dims) { assign(dims.begin(), dims.end()); }
  Shape(const std::vector<int64_t>& dims) { assign(dims.data(), dims.data() + dims.size()); }
  template <class T>
  Shape(std::span<T> dims) {
    assign(dims.data(), dims.data() + dims.size());
  }
  // `rank` dimensions, all of size `value`.
  static Shape filled(int rank, int64_t value);

  int rank() const { return rank_; }
  size_t size() const { return static_cast<size_t>(rank_); }
  bool empty() const { return rank_ == 0; }
  int64_t& operator[](size_t i) { return dims_[i]; }
  int64_t operator[](size_t i) const { return dims_[i]; }
  int64_t back() const { return dims_[rank_ - 1]; }
  int64_t* begin() { return dims_.data(); }
  int64_t* end() { return dims_.data() + rank_; }
  const int64_t* begin() const { return dims_.data(); }
  const int64_t* end() const { return dims_.data() + rank_; }

  void push_back(int64_t d) { insert(rank_, d); }
  void insert(int at, int64_t d);
  void erase(int at);

  // Product of the sizes; 1 for rank 0. Throws ShapeError when it does not fit in 63 bits.
  int64_t numel() const {
    int64_t n = 1;
    bool fits = true;
    for (int64_t d : *this) fits &= !__builtin_mul_overflow(n, d, &n);
    return fits ? n : checked_numel();
  }
  std::vector<int64_t> vec() const;
  operator std::span<const int64_t>() const;

  friend bool operator==(const Shape& a, const Shape& b) {
    bool same = a.rank_ == b.rank_;
    for (int i = 0; same && i < a.rank_; ++i) same = a.dims_[i] == b.dims_[i];
    return same;
  }

 private:
  void assign(const int64_t* first, const int64_t* last);
  int64_t checked_numel() const;  // where a partial product does not fit

  std::array<int64_t, kMaxRank> dims_{};
  int rank_ = 0;
};

using Strides = Shape;

// Dimensions to work on: one (`x.sum(1)`) or several (`x.mean({2, 3})`); negative ones count from the end.
struct Dims : Shape {
  Dims(int dim) : Shape({dim}) {}
  Dims(int64_t dim) : Shape({dim}) {}
  Dims(std::initializer_list<int64_t> dims) : Shape(dims) {}
  Dims(const Shape& dims) : Shape(dims) {}
};

// "[64, 3, 32, 32]"
std::string to_string(const Shape& shape);

// a * b, a + b, or an error that names `what`, when the result leaves 63 bits.
int64_t checked_mul(int64_t a, int64_t b, const char* what);
int64_t checked_add(int64_t a, int64_t b, const char* what);

// Row-major strides, and those of channels-last order for [N, C, H, W].
Strides contiguous_strides(const Shape& shape);
Strides channels_last_strides(const Shape& shape);

// The shape that `a` and `b` broadcast to. Throws ShapeError naming `op` and both shapes.
Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b);

// The indices of the element that is number `position` in row-major order.
Shape unravel(int64_t position, const Shape& shape);

// `dim` counted from the end when negative. Throws IndexError naming `op` unless -rank <= dim < rank
// (a scalar counts as rank 1).
int wrap_dim(const char* op, int64_t dim, int rank);

}  // namespace espalier
