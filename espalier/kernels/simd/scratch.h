#pragma once

#include <cstddef>
#include <cstdint>

#include <espalier/core/allocator.h>

namespace espalier::kernels::ESPALIER_SIMD_LEVEL {
namespace {

// Memory that is given back at the end.
template <class T>
class Scratch {
 public:
  explicit Scratch(int64_t n) : bytes_(static_cast<size_t>(n) * sizeof(T)) {
    data_ = static_cast<T*>(allocate(bytes_));
  }
  ~Scratch() { deallocate(data_, bytes_); }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  operator T*() const { return data_; }

 private:
  size_t bytes_;
  T* data_;
};

}  // namespace
}  // namespace espalier::kernels::ESPALIER_SIMD_LEVEL
