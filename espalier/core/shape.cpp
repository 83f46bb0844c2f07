#include <espalier/core/shape.h>

#include <espalier/core/error.h>

namespace espalier {

Shape::operator std::span<const int64_t>() const { return {begin(), size()}; }
std::vector<int64_t> Shape::vec() const { return {begin(), end()}; }

void Shape::assign(const int64_t* first, const int64_t* last) {
  require<ShapeError>(last - first <= kMaxRank, "a tensor has at most ", kMaxRank, " dimensions, asked for ",
                      static_cast<int64_t>(last - first));
  rank_ = static_cast<int>(last - first);
  std::copy(first, last, dims_.begin());
}

Shape Shape::filled(int rank, int64_t value) {
  Shape s;
  for (int i = 0; i < rank; ++i) s.push_back(value);
  return s;
}

void Shape::insert(int at, int64_t d) {
  require<ShapeError>(rank_ < kMaxRank, "a tensor has at most ", kMaxRank, " dimensions");
  std::copy_backward(begin() + at, end(), end() + 1);
  dims_[at] = d;
  ++rank_;
}

void Shape::erase(int at) {
  std::copy(begin() + at + 1, end(), begin() + at);
  --rank_;
}

int64_t Shape::checked_numel() const {
  int64_t n = 1;
  for (int64_t d : *this) {
    if (d == 0) return 0;
  }
  for (int64_t d : *this) n = checked_mul(n, d, "the number of elements");
  return n;
}

std::string to_string(const Shape& shape) {
  std::string out = "[";
  for (int64_t d : shape) out += (out.size() > 1 ? ", " : "") + std::to_string(d);
  return out + "]";
}

int64_t checked_mul(int64_t a, int64_t b, const char* what) {
  int64_t r;
  require<ShapeError>(!__builtin_mul_overflow(a, b, &r), what, " (", a, " times ", b,
                      ") does not fit in 63 bits");
  return r;
}

int64_t checked_add(int64_t a, int64_t b, const char* what) {
  int64_t r;
  require<ShapeError>(!__builtin_add_overflow(a, b, &r), what, " (", a, " plus ", b,
                      ") does not fit in 63 bits");
  return r;
}

Strides contiguous_strides(const Shape& shape) {
  Strides strides = shape;
  int64_t step = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = step;
    int64_t size = std::max<int64_t>(shape[i], 1);
    if (__builtin_mul_overflow(step, size, &step)) checked_mul(strides[i], size, "the number of elements");
  }
  return strides;
}

Strides channels_last_strides(const Shape& shape) {
  require<ShapeError>(shape.rank() == 4, "channels-last order needs [N, C, H, W], got ", shape);
  Strides s = contiguous_strides({shape[0], shape[2], shape[3], shape[1]});
  return {s[0], s[3], s[1], s[2]};
}

Shape broadcast_shapes(const char* op, const Shape& a, const Shape& b) {
  int rank = std::max(a.rank(), b.rank());
  Shape out = Shape::filled(rank, 1);
  for (int i = 1; i <= rank; ++i) {
    int64_t x = i <= a.rank() ? a[a.rank() - i] : 1;
    int64_t y = i <= b.rank() ? b[b.rank() - i] : 1;
    require<ShapeError>(x == y || x == 1 || y == 1, op, ": shapes ", a, " and ", b,
                        " do not broadcast: counted from the last, dimension ", i, " is ", x, " against ", y);
    out[rank - i] = x == 1 ? y : x;
  }
  return out;
}

Shape unravel(int64_t position, const Shape& shape) {
  Shape index = shape;
  for (int d = shape.rank() - 1; d >= 0; --d) {
    index[d] = position % shape[d];
    position /= shape[d];
  }
  return index;
}

int wrap_dim(const char* op, int64_t dim, int rank) {
  int64_t n = std::max(rank, 1);
  require<IndexError>(-n <= dim && dim < n, op, ": dimension ", dim, " is outside [", -n, ", ", n - 1,
                      "] for a tensor of ", rank, " dimensions");
  return static_cast<int>(dim < 0 ? dim + n : dim);
}

}  // namespace espalier
