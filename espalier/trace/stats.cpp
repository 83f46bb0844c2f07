#include <algorithm>
#include <cmath>

#include <espalier/trace/record.h>

namespace espalier::trace {
namespace {

// The values as doubles, in any order.
std::vector<double> values_of(const Array& a) {
  std::vector<double> out(static_cast<size_t>(a.numel()));
  if (out.empty()) return out;
  visit_dtype(a.dtype, [&]<class T>(T) {
    const T* p = a.data<T>();
    if (a.is_dense()) {
      for (size_t i = 0; i < out.size(); ++i) out[i] = static_cast<double>(static_cast<Compute<T>>(p[i]));
      return;
    }
    Shape index = Shape::filled(a.rank(), 0);
    for (double& value : out) {
      int64_t at = 0;
      for (int d = 0; d < a.rank(); ++d) at += index[d] * a.strides[d];
      value = static_cast<double>(static_cast<Compute<T>>(p[at]));
      for (int d = a.rank() - 1; d >= 0 && ++index[d] == a.shape[d]; --d) index[d] = 0;
    }
  });
  return out;
}

}  // namespace

Stats stats(const Array& array) {
  Stats s;
  auto v = values_of(array);
  auto finite_end = std::partition(v.begin(), v.end(), [](double x) { return std::isfinite(x); });
  s.not_finite = v.end() - finite_end;
  v.erase(finite_end, v.end());
  if (v.empty()) return s;
  auto n = static_cast<double>(v.size());
  auto [low, high] = std::minmax_element(v.begin(), v.end());
  s.min = *low, s.max = *high;
  for (double x : v) s.mean += x / n;
  for (double x : v) s.std += (x - s.mean) * (x - s.mean) / n;
  s.std = std::sqrt(s.std);
  s.zeros = static_cast<double>(std::count(v.begin(), v.end(), 0.0)) / n;
  double width = s.max > s.min ? (s.max - s.min) / Stats::kBins : 1;
  for (double x : v) ++s.histogram[std::min<int>(static_cast<int>((x - s.min) / width), Stats::kBins - 1)];
  return s;
}

}  // namespace espalier::trace
