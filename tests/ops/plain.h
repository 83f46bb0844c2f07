#pragma once

#include <algorithm>
#include <vector>

#include "op_case.h"

// For references: plain tensors by index.
namespace espalier::test {

using Index = std::vector<int64_t>;

inline double at(const Plain& x, const Index& index) {
  int64_t offset = 0;
  for (int d = 0; d < x.shape.rank(); ++d) offset = offset * x.shape[d] + index[d];
  return x.v[offset];
}

// The tensor of f(index).
template <class F>
Plain fill(const Shape& shape, F f) {
  Plain out = make(shape);
  Index index(shape.rank());
  for (double& v : out.v) {
    v = f(index);
    for (int d = shape.rank() - 1; d >= 0 && ++index[d] == shape[d]; --d) index[d] = 0;
  }
  return out;
}

inline Plain with_shape(Plain x, const Shape& shape) { return {shape, std::move(x.v)}; }

// f of the elements along `dims` (empty: all), which have size 1 in the result or are dropped.
template <class F>
Plain reduce(const Plain& x, const Shape& dims, bool keepdim, F f) {
  Shape kept = x.shape, shape;
  for (int d = 0; d < x.shape.rank(); ++d) {
    bool reduced = dims.empty() || std::find(dims.begin(), dims.end(), d) != dims.end();
    if (reduced) kept[d] = 1;
    if (!reduced || keepdim) shape.push_back(kept[d]);
  }
  std::vector<std::vector<double>> groups(static_cast<size_t>(kept.numel()));
  fill(x.shape, [&](const Index& index) {
    int64_t to = 0;
    for (int d = 0; d < kept.rank(); ++d) to = to * kept[d] + (kept[d] == 1 ? 0 : index[d]);
    groups[to].push_back(at(x, index));
    return 0.0;
  });
  Plain out = make(shape);
  for (size_t i = 0; i < groups.size(); ++i) out.v[i] = f(groups[i]);
  return out;
}

// f of each line along `dim`, in place.
template <class F>
Plain along(Plain x, int dim, F f) {
  int64_t n = x.shape[dim], inner = 1;
  for (int d = dim + 1; d < x.shape.rank(); ++d) inner *= x.shape[d];
  for (int64_t i = 0; i < x.shape.numel(); ++i) {
    if (i / inner % n != 0) continue;
    std::vector<double> line(static_cast<size_t>(n));
    for (int64_t k = 0; k < n; ++k) line[k] = x.v[i + k * inner];
    f(line);
    for (int64_t k = 0; k < n; ++k) x.v[i + k * inner] = line[k];
  }
  return x;
}

// A row for a failure that is a call which throws.
#define ESPALIER_FAILS(why, expression, message) \
  {                                              \
    why, [] { (void)(expression); }, message     \
  }

}  // namespace espalier::test
