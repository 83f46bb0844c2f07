#pragma once

namespace espalier {

// A number that threads share, in the operations that Espalier's headers need. What std::atomic is, whose
// header would cost each file of a user 0.03 s.
template <class T>
class Atomic {
 public:
  Atomic(T value) : value_(value) {}
  Atomic(const Atomic&) = delete;
  Atomic& operator=(const Atomic&) = delete;

  T load() const noexcept { return __atomic_load_n(&value_, __ATOMIC_RELAXED); }
  T load_acquire() const noexcept { return __atomic_load_n(&value_, __ATOMIC_ACQUIRE); }
  void store(T value) noexcept { __atomic_store_n(&value_, value, __ATOMIC_RELAXED); }
  T fetch_add(T n) noexcept { return __atomic_fetch_add(&value_, n, __ATOMIC_RELAXED); }
  T fetch_sub_ordered(T n) noexcept { return __atomic_fetch_sub(&value_, n, __ATOMIC_ACQ_REL); }

  // For std::atomic_ref.
  T& value() noexcept { return value_; }

 private:
  alignas(sizeof(T)) T value_;
};

}  // namespace espalier
