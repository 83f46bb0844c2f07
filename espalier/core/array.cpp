#include <espalier/core/array.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include <espalier/core/error.h>

namespace espalier {
namespace {

// Dimensions in the order of their strides, the largest first. Sizes of 1 do not matter.
std::array<int, kMaxRank> by_stride(const Array& a) {
  std::array<int, kMaxRank> order{};
  std::iota(order.begin(), order.begin() + a.rank(), 0);
  for (int i = 1; i < a.rank(); ++i) {  // stable
    for (int j = i; j > 0 && a.strides[order[j - 1]] < a.strides[order[j]]; --j)
      std::swap(order[j - 1], order[j]);
  }
  return order;
}

}  // namespace

Array Array::empty(const Shape& shape, DType dtype) { return empty(shape, dtype, contiguous_strides(shape)); }

Array Array::empty(const Shape& shape, DType dtype, const Strides& strides) {
  int64_t bytes = checked_mul(shape.numel(), itemsize(dtype), "the size of a tensor in bytes");
  return {Storage::allocate(bytes), 0, shape, strides, dtype};
}

Array Array::empty_like(const Array& like, DType dtype) {
  return like.is_dense() ? empty(like.shape, dtype, like.strides) : empty(like.shape, dtype);
}

void* Array::no_data() const {
  require<ValueError>(numel() == 0, "the tensor ", shape,
                      " has a shape but no values: it comes from a run for shapes only (check or summary)");
  return nullptr;
}

bool Array::is_contiguous() const {
  int64_t step = 1;
  for (int i = rank() - 1; i >= 0; --i) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

bool Array::is_channels_last() const {
  if (rank() != 4) return false;
  int64_t step = 1;
  for (int i : {1, 3, 2, 0}) {
    if (shape[i] == 0) return true;
    if (shape[i] != 1 && strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

bool Array::is_dense() const {
  if (is_contiguous()) return true;
  auto order = by_stride(*this);
  int64_t step = 1;
  for (int k = rank() - 1; k >= 0; --k) {
    int i = order[k];
    if (shape[i] == 1) continue;
    if (strides[i] != step) return false;
    step *= shape[i];
  }
  return true;
}

Array Array::view(const Shape& new_shape, const Strides& new_strides, int64_t new_offset) const {
  return {storage, new_offset, new_shape, new_strides, dtype};
}

Array Array::expand(const char* op, const Shape& to) const {
  Strides s = Shape::filled(to.rank(), 0);
  require<ShapeError>(to.rank() >= rank(), op, ": can't expand ", shape, " to the fewer dimensions of ", to);
  for (int i = 1; i <= rank(); ++i) {
    int64_t from = shape[rank() - i], want = to[to.rank() - i];
    require<ShapeError>(from == want || from == 1, op, ": can't expand ", shape, " to ", to);
    s[to.rank() - i] = from == 1 && want != 1 ? 0 : strides[rank() - i];
  }
  return view(to, s, offset);
}

}  // namespace espalier
