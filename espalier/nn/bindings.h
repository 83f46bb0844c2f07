#pragma once

#include <cstddef>

// C++20 can't bind an unknown number of members, so there is a case for each number up to 64.
#define ESPALIER_B1(p) p##0
#define ESPALIER_B2(p) ESPALIER_B1(p), p##1
#define ESPALIER_B3(p) ESPALIER_B2(p), p##2
#define ESPALIER_B4(p) ESPALIER_B3(p), p##3
#define ESPALIER_B5(p) ESPALIER_B4(p), p##4
#define ESPALIER_B6(p) ESPALIER_B5(p), p##5
#define ESPALIER_B7(p) ESPALIER_B6(p), p##6
#define ESPALIER_B8(p) ESPALIER_B7(p), p##7
#define ESPALIER_EIGHTS0
#define ESPALIER_EIGHTS1 ESPALIER_B8(a),
#define ESPALIER_EIGHTS2 ESPALIER_EIGHTS1 ESPALIER_B8(b),
#define ESPALIER_EIGHTS3 ESPALIER_EIGHTS2 ESPALIER_B8(c),
#define ESPALIER_EIGHTS4 ESPALIER_EIGHTS3 ESPALIER_B8(d),
#define ESPALIER_EIGHTS5 ESPALIER_EIGHTS4 ESPALIER_B8(e),
#define ESPALIER_EIGHTS6 ESPALIER_EIGHTS5 ESPALIER_B8(g),
#define ESPALIER_EIGHTS7 ESPALIER_EIGHTS6 ESPALIER_B8(h),
#define ESPALIER_BIND(n, ...)     \
  if constexpr (N == n) {         \
    auto& [__VA_ARGS__] = object; \
    return f(__VA_ARGS__);        \
  } else
#define ESPALIER_BIND_EIGHT(k, p)                             \
  ESPALIER_BIND(k * 8 + 1, ESPALIER_EIGHTS##k ESPALIER_B1(p)) \
  ESPALIER_BIND(k * 8 + 2, ESPALIER_EIGHTS##k ESPALIER_B2(p)) \
  ESPALIER_BIND(k * 8 + 3, ESPALIER_EIGHTS##k ESPALIER_B3(p)) \
  ESPALIER_BIND(k * 8 + 4, ESPALIER_EIGHTS##k ESPALIER_B4(p)) \
  ESPALIER_BIND(k * 8 + 5, ESPALIER_EIGHTS##k ESPALIER_B5(p)) \
  ESPALIER_BIND(k * 8 + 6, ESPALIER_EIGHTS##k ESPALIER_B6(p)) \
  ESPALIER_BIND(k * 8 + 7, ESPALIER_EIGHTS##k ESPALIER_B7(p)) \
  ESPALIER_BIND(k * 8 + 8, ESPALIER_EIGHTS##k ESPALIER_B8(p))

namespace espalier::nn::detail {

inline constexpr std::size_t kMaxFields = 64;

// Calls f with references to the N members of an object.
template <std::size_t N, class T, class F>
constexpr decltype(auto) with_fields(T& object, F&& f) {
  // clang-format off
  ESPALIER_BIND_EIGHT(0, a) ESPALIER_BIND_EIGHT(1, b) ESPALIER_BIND_EIGHT(2, c) ESPALIER_BIND_EIGHT(3, d)
  ESPALIER_BIND_EIGHT(4, e) ESPALIER_BIND_EIGHT(5, g) ESPALIER_BIND_EIGHT(6, h) ESPALIER_BIND_EIGHT(7, i)
  return f();
  // clang-format on
}

}  // namespace espalier::nn::detail

#undef ESPALIER_B1
#undef ESPALIER_B2
#undef ESPALIER_B3
#undef ESPALIER_B4
#undef ESPALIER_B5
#undef ESPALIER_B6
#undef ESPALIER_B7
#undef ESPALIER_B8
#undef ESPALIER_EIGHTS0
#undef ESPALIER_EIGHTS1
#undef ESPALIER_EIGHTS2
#undef ESPALIER_EIGHTS3
#undef ESPALIER_EIGHTS4
#undef ESPALIER_EIGHTS5
#undef ESPALIER_EIGHTS6
#undef ESPALIER_EIGHTS7
#undef ESPALIER_BIND
#undef ESPALIER_BIND_EIGHT
