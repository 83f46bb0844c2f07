#pragma once

#include <utility>

#include <espalier/core/ref.h>

namespace espalier {

// What is kept for the sake of its destructor.
struct Held : RefCounted<Held> {
  virtual ~Held() = default;
};

template <class T>
struct HeldValue final : Held {
  template <class... A>
  explicit HeldValue(A&&... args) : value(std::forward<A>(args)...) {}
  T value;
};

// Keeps a value of any type, such as a std::shared_ptr, a buffer or a file, as long as a copy of this lives.
class Owner {
 public:
  Owner() = default;
  Owner(std::nullptr_t) {}
  Owner(Ref<Held> held) : held_(std::move(held)) {}
  template <class T>
  Owner(T value) : held_(make_ref<HeldValue<T>>(std::move(value))) {}

  explicit operator bool() const { return static_cast<bool>(held_); }
  bool operator==(std::nullptr_t) const { return !held_; }

 private:
  Ref<Held> held_;
};

// What std::shared_ptr is, whose header would cost each file of a user 0.05 s. T may be incomplete.
template <class T>
class Shared {
 public:
  Shared() = default;
  Shared(std::nullptr_t) {}
  template <class... A>
  static Shared make(A&&... args) {
    auto held = make_ref<HeldValue<T>>(std::forward<A>(args)...);
    Shared s;
    s.p_ = &held->value;
    s.held_ = std::move(held);
    return s;
  }

  T* get() const { return p_; }
  T* operator->() const { return p_; }
  T& operator*() const { return *p_; }
  explicit operator bool() const { return p_ != nullptr; }
  bool operator==(std::nullptr_t) const { return p_ == nullptr; }
  operator Owner() const { return held_; }

 private:
  T* p_ = nullptr;
  Ref<Held> held_;
};

}  // namespace espalier
