#pragma once

#include <espalier/autograd/recorder.h>
#include <espalier/core/dtype.h>

namespace espalier {

// PyTorch's `with torch.autocast("cpu", dtype=torch.bfloat16):`. While one lives, products and convolutions
// of this thread compute in the lower dtype, whatever mix of float32 and it they are given, and losses in
// float32; the other operations compute in the dtype of their inputs (the table stands in autocast.cpp).
// Weights stay float32 and get float32 gradients. Wrap the forward and the loss, not backward().
//
// Processors without bfloat16 instructions give the same results more slowly than float32.
class Autocast {
 public:
  explicit Autocast(DType dtype = DType::bfloat16, bool enabled = true);  // ValueError: another dtype
  ~Autocast();
  Autocast(const Autocast&) = delete;
  Autocast& operator=(const Autocast&) = delete;

 private:
  bool before_;
};
bool autocast_enabled();

namespace detail {

// What an operation begins with: `if (Casts to("linear", {x, weight, bias})) return linear(to(x), …);`. True
// where a scope wants an input in another dtype.
class Casts {
 public:
  Casts(const char* op, const Inputs& inputs) {
    if (autocast_enabled()) decide(op, inputs);
  }
  explicit operator bool() const { return wanted_; }
  Tensor operator()(const Tensor& x) const;  // in the wanted dtype, if it is float32 or the lower dtype

 private:
  void decide(const char* op, const Inputs& inputs);

  bool wanted_ = false;
  DType dtype_ = DType::float32;
};

}  // namespace detail
}  // namespace espalier
