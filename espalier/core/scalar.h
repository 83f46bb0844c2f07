#pragma once

#include <cstdint>
#include <type_traits>

#include <espalier/core/dtype.h>

namespace espalier {

// A number given in code: its kind (bool, integer, floating point) takes part in type promotion, its width
// does not.
class Scalar {
 public:
  enum class Kind : uint8_t { boolean, integer, floating };

  template <class T>
  requires std::is_arithmetic_v<T> Scalar(T value) {
    if constexpr (std::is_same_v<T, bool>) kind_ = Kind::boolean, i_ = value;
    else if constexpr (std::is_integral_v<T>) kind_ = Kind::integer, i_ = static_cast<int64_t>(value);
    else kind_ = Kind::floating, d_ = static_cast<double>(value);
  }
  Scalar(BFloat16 value) : Scalar(static_cast<float>(value)) {}

  Kind kind() const { return kind_; }
  double to_double() const { return kind_ == Kind::floating ? d_ : static_cast<double>(i_); }
  int64_t to_int64() const { return kind_ == Kind::floating ? static_cast<int64_t>(d_) : i_; }

  template <class T>
  T to() const {
    if constexpr (std::is_same_v<T, BFloat16>) return BFloat16(static_cast<float>(to_double()));
    else if constexpr (std::is_same_v<T, bool>) return kind_ == Kind::floating ? d_ != 0 : i_ != 0;
    else if constexpr (std::is_integral_v<T>) return static_cast<T>(to_int64());
    else return static_cast<T>(to_double());
  }

 private:
  union {
    int64_t i_;
    double d_;
  };
  Kind kind_;
};

// The dtype of `tensor op scalar`: the tensor's, unless the scalar is of a higher kind (then float32, int64
// or bool).
inline DType promote_types(DType tensor, const Scalar& s) {
  if (s.kind() == Scalar::Kind::floating && !is_floating_point(tensor)) return DType::float32;
  if (s.kind() == Scalar::Kind::integer && tensor == DType::boolean) return DType::int64;
  return tensor;
}

}  // namespace espalier
