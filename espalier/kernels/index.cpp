#include <espalier/kernels/index.h>

#include <algorithm>
#include <vector>

#include <espalier/core/threads.h>
#include <espalier/kernels/reduce.h>
#include <espalier/kernels/row_major.h>

namespace espalier::kernels {
namespace {

constexpr int64_t kGrain = 1 << 14;

// Two arrays of the same shape gone through together, in row-major order of their indices.
struct Pair {
  int rank = 0;
  int64_t count = 1;
  int64_t size[kMaxRank], a[kMaxRank], b[kMaxRank];

  // The dimensions of x and y from x_first and y_first on, joined where memory allows.
  Pair(const Array& x, int x_first, const Array& y, int y_first) {
    for (int d = x_first; d < x.rank(); ++d) {
      int64_t n = x.shape[d], sx = x.strides[d], sy = y.strides[d - x_first + y_first];
      count *= n;
      if (n == 1) continue;
      if (rank > 0 && a[rank - 1] == sx * n && b[rank - 1] == sy * n) --rank, n *= size[rank];
      size[rank] = n, a[rank] = sx, b[rank] = sy;
      ++rank;
    }
    if (rank == 0) size[0] = 1, a[0] = b[0] = 1, rank = 1;
  }

  // f(offset in x, offset in y, length) for the pieces of [begin, end) in the last dimension.
  template <class F>
  void pieces(int64_t begin, int64_t end, F&& f) const {
    if (rank == 1) return f(begin * a[0], begin * b[0], end - begin);
    int64_t inner = size[rank - 1];
    while (begin < end) {
      int64_t first = begin % inner, n = std::min(inner - first, end - begin), rest = begin / inner;
      int64_t at_a = first * a[rank - 1], at_b = first * b[rank - 1];
      for (int d = rank - 2; d >= 0; --d) {
        at_a += rest % size[d] * a[d];
        at_b += rest % size[d] * b[d];
        rest /= size[d];
      }
      f(at_a, at_b, n);
      begin += n;
    }
  }
};

// Where the positions lead in an array, in elements.
std::vector<int64_t> offsets(const Array& x, std::span<const Array> positions) {
  std::vector<int64_t> at(static_cast<size_t>(positions[0].numel()));
  for (size_t k = 0; k < positions.size(); ++k) {
    const int64_t* p = positions[k].data<int64_t>();
    for (size_t b = 0; b < at.size(); ++b) at[b] += p[b] * x.strides[k];
  }
  return at;
}

// f(offset in a, offset in b, offset in c) for the first element of each line of `shape` along `dim`.
template <class F>
void for_each_line(const Shape& shape, int dim, const Array& a, const Array& b, const Array& c, F&& f) {
  int64_t length = std::max<int64_t>(shape[dim], 1), lines = shape.numel() / length;
  parallel_for(lines, std::max<int64_t>(1, kGrain / length), [&](int64_t begin, int64_t end) {
    for (int64_t line = begin; line < end; ++line) {
      int64_t rest = line, at[3] = {};
      for (int d = shape.rank() - 1; d >= 0; --d) {
        if (d == dim) continue;
        int64_t i = rest % shape[d];
        rest /= shape[d];
        at[0] += i * a.strides[d], at[1] += i * b.strides[d], at[2] += i * c.strides[d];
      }
      f(at[0], at[1], at[2]);
    }
  });
}

}  // namespace

void take(Array& out, const Array& x, std::span<const Array> positions) {
  if (nothing_to_do(out)) return;
  auto at = offsets(x, positions);
  Pair rest(out, 1, x, static_cast<int>(positions.size()));
  int64_t rows = out.shape[0], n = rest.rank - 1;
  visit_dtype(x.dtype, [&]<class T>(T) {
    parallel_for(rows, std::max<int64_t>(1, kGrain / rest.count), [&](int64_t begin, int64_t end) {
      for (int64_t b = begin; b < end; ++b) {
        T* to = out.data<T>() + b * out.strides[0];
        const T* from = x.data<T>() + at[b];
        rest.pieces(0, rest.count, [&](int64_t i, int64_t j, int64_t length) {
          for (int64_t k = 0; k < length; ++k) to[i + k * rest.a[n]] = from[j + k * rest.b[n]];
        });
      }
    });
  });
}

void put(Array& out, const Array& values, std::span<const Array> positions, bool accumulate) {
  if (nothing_to_do(out) || values.numel() == 0) return;
  auto at = offsets(out, positions);
  Pair rest(values, 1, out, static_cast<int>(positions.size()));
  int64_t rows = values.shape[0], n = rest.rank - 1;
  visit_dtype(out.dtype, [&]<class T>(T) {
    // Threads share out the columns, so that what is added to an element comes in the order of the rows.
    parallel_for(rest.count, std::max<int64_t>(64, kGrain / rows), [&](int64_t begin, int64_t end) {
      for (int64_t b = 0; b < rows; ++b) {
        const T* from = values.data<T>() + b * values.strides[0];
        T* to = out.data<T>() + at[b];
        rest.pieces(begin, end, [&](int64_t i, int64_t j, int64_t length) {
          for (int64_t k = 0; k < length; ++k) {
            T& y = to[j + k * rest.b[n]];
            T v = from[i + k * rest.a[n]];
            y = accumulate ? static_cast<T>(y + v) : v;
          }
        });
      }
    });
  });
}

void gather(Array& out, const Array& x, const Array& index, int dim) {
  if (nothing_to_do(out)) return;
  visit_dtype(x.dtype, [&]<class T>(T) {
    for_each_line(index.shape, dim, out, x, index, [&](int64_t to, int64_t from, int64_t at) {
      for (int64_t i = 0; i < index.shape[dim]; ++i) {
        int64_t p = index.data<int64_t>()[at + i * index.strides[dim]];
        out.data<T>()[to + i * out.strides[dim]] = x.data<T>()[from + p * x.strides[dim]];
      }
    });
  });
}

void scatter(Array& out, const Array& source, const Array& index, int dim, bool accumulate) {
  if (nothing_to_do(out) || index.numel() == 0) return;
  visit_dtype(out.dtype, [&]<class T>(T) {
    for_each_line(index.shape, dim, out, source, index, [&](int64_t to, int64_t from, int64_t at) {
      for (int64_t i = 0; i < index.shape[dim]; ++i) {
        T& y = out.data<T>()[to + index.data<int64_t>()[at + i * index.strides[dim]] * out.strides[dim]];
        T v = source.data<T>()[from + i * source.strides[dim]];
        y = accumulate ? static_cast<T>(y + v) : v;
      }
    });
  });
}

Array nonzero(const Array& x) {
  Array dense = row_major(x), count = Array::empty(Shape::filled(x.rank(), 1), DType::int64);
  count_nonzero(count, x);
  Array out = Array::empty({*count.data<int64_t>(), x.rank()}, DType::int64);
  if (nothing_to_do(out)) return out;
  visit_dtype(x.dtype, [&]<class T>(T) {
    const T* p = dense.data<T>();
    int64_t* to = out.data<int64_t>();
    for (int64_t i = 0, n = x.numel(); i < n; ++i) {
      if (static_cast<Compute<T>>(p[i]) == Compute<T>(0)) continue;
      int64_t rest = i;
      for (int d = x.rank() - 1; d >= 0; --d) {
        to[d] = rest % x.shape[d];
        rest /= x.shape[d];
      }
      to += x.rank();
    }
  });
  return out;
}

void flip(Array& out, const Array& x, int dim) {
  if (nothing_to_do(out)) return;
  int64_t n = x.shape[dim], step = x.strides[dim];
  visit_dtype(x.dtype, [&]<class T>(T) {
    for_each_line(x.shape, dim, out, x, x, [&](int64_t to, int64_t from, int64_t) {
      T* y = out.data<T>() + to;
      const T* p = x.data<T>() + from + (n - 1) * step;
      for (int64_t i = 0; i < n; ++i) y[i * out.strides[dim]] = p[-i * step];
    });
  });
}

void triangle(Array& out, const Array& x, int64_t diagonal, bool lower) {
  if (nothing_to_do(out)) return;
  copy(out, x);
  int r = x.rank() - 1;
  int64_t rows = x.shape[r - 1], columns = x.shape[r];
  diagonal = std::clamp(diagonal, -rows - 1, columns + 1);
  for (int64_t row = 0; row < rows; ++row) {
    int64_t first = lower ? std::clamp<int64_t>(row + diagonal + 1, 0, columns) : 0;
    int64_t last = lower ? columns : std::clamp<int64_t>(row + diagonal, 0, columns);
    Array part = out;
    part.offset += row * out.strides[r - 1] + first * out.strides[r];
    part.shape[r - 1] = 1;
    part.shape[r] = last - first;
    fill(part, 0);
  }
}

namespace {

// NaN is the largest.
template <class T>
bool less(T a, T b) {
  return a < b || (b != b && a == a);
}

template <class T>
struct Item {
  T value;
  int64_t index;
};

}  // namespace

void sort(Array& values, Array& indices, const Array& x, int dim, bool descending) {
  if (nothing_to_do(values)) return;
  int64_t n = x.shape[dim], wanted = values.shape[dim], step = x.strides[dim];
  visit_dtype(x.dtype, [&]<class T>(T) {
    for_each_line(x.shape, dim, values, x, indices, [&](int64_t to, int64_t from, int64_t at) {
      std::vector<Item<T>> items(static_cast<size_t>(n));
      for (int64_t i = 0; i < n; ++i) items[i] = {x.data<T>()[from + i * step], i};
      auto before = [descending](const Item<T>& a, const Item<T>& b) {
        Compute<T> first = descending ? b.value : a.value, second = descending ? a.value : b.value;
        return less(first, second) || (a.index < b.index && !less(second, first));
      };
      if (wanted < n) std::partial_sort(items.begin(), items.begin() + wanted, items.end(), before);
      else std::sort(items.begin(), items.end(), before);
      for (int64_t i = 0; i < wanted; ++i) {
        values.data<T>()[to + i * values.strides[dim]] = items[i].value;
        indices.data<int64_t>()[at + i * indices.strides[dim]] = items[i].index;
      }
    });
  });
}

}  // namespace espalier::kernels
