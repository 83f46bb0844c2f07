#include <espalier/kernels/relu.h>

#include <espalier/core/threads.h>
#include <espalier/kernels/simd/row.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

constexpr int64_t kLanes = 32;  // channels whose sums stay in registers

// The rows [first, last) of `n` channels from `c` on; at most kLanes, exactly so many where kFull.
template <class T, bool kFull>
void columns(const ReluBackwardJob& j, int64_t first, int64_t last, int64_t c, int64_t n, Compute<T>* sums) {
  using C = Compute<T>;
  if constexpr (kFull) n = kLanes;
  C sum[kLanes] = {};
  for (int64_t row = first; row < last; ++row) {
    int64_t at = row * j.channels + c;
    auto *g = static_cast<const T*>(j.g) + at, *y = static_cast<const T*>(j.y) + at;
    auto* gx = static_cast<T*>(j.gx) + at;
    ESPALIER_VECTORISE
    for (int64_t i = 0; i < n; ++i) {
      C gradient = g[i], result = y[i], value = result <= 0 ? C(0) : gradient;
      gx[i] = static_cast<T>(value);
      sum[i] += value;
    }
  }
  for (int64_t i = 0; i < n; ++i) sums[c + i] = sum[i];
}

template <class T>
void rows(const ReluBackwardJob& j) {
  parallel_for((j.outer + j.chunk - 1) / j.chunk, 1, [&](int64_t begin, int64_t end) {
    for (int64_t k = begin; k < end; ++k) {
      auto* sums = static_cast<Compute<T>*>(j.sums) + k * j.channels;
      int64_t first = k * j.chunk, last = j.outer < first + j.chunk ? j.outer : first + j.chunk, c = 0;
      for (; c + kLanes <= j.channels; c += kLanes) columns<T, true>(j, first, last, c, kLanes, sums);
      if (c < j.channels) columns<T, false>(j, first, last, c, j.channels - c, sums);
    }
  });
}

void rows_any(const ReluBackwardJob& j) {
  if (j.dtype == DType::float64) rows<double>(j);
  else if (j.dtype == DType::bfloat16) rows<BFloat16>(j);
  else rows<float>(j);
}

}  // namespace

ESPALIER_OFFER(relu_backward_rows, rows_any)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
