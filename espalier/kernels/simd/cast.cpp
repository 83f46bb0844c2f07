#include <espalier/kernels/elementwise.h>
#include <espalier/kernels/simd/row.h>

#include <cstdint>
#include <type_traits>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Integers are cut to the bits of To, floating point values towards zero; bool is whether it differs from 0.
template <class To, class From>
To convert(From value) {
  auto v = static_cast<Compute<From>>(value);
  if constexpr (std::is_same_v<To, From>) return value;
  else if constexpr (std::is_same_v<To, bool>) return v != 0;
  else if constexpr (std::is_same_v<To, BFloat16>) return BFloat16(static_cast<float>(v));
  else if constexpr (std::is_floating_point_v<decltype(v)> && std::is_integral_v<To>)
    return static_cast<To>(static_cast<int64_t>(v));
  else return static_cast<To>(v);
}

template <class From, class To>
void cast_elements(int64_t n, const From* in, int64_t in_step, To* out, int64_t out_step) {
  if (in_step == 1 && out_step == 1) {
    ESPALIER_VECTORISE
    for (int64_t i = 0; i < n; ++i) out[i] = convert<To>(in[i]);
  } else if (in_step == 0 && out_step == 1) {
    To value = convert<To>(*in);
    for (int64_t i = 0; i < n; ++i) out[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) out[i * out_step] = convert<To>(in[i * in_step]);
  }
}

void cast(DType from, DType to, int64_t n, const void* in, int64_t in_step, void* out, int64_t out_step) {
  visit_dtype(from, [&]<class From>(From) {
    visit_dtype(to, [&]<class To>(To) {
      cast_elements(n, static_cast<const From*>(in), in_step, static_cast<To*>(out), out_step);
    });
  });
}

}  // namespace

ESPALIER_OFFER(cast_row, cast)

}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
