#pragma once

#include <cstddef>
#include <cstdint>
#include <type_traits>
#include <utility>

#include <espalier/core/atomic.h>

namespace espalier {

// Base of objects that count their own references. `Self::destroy(Self*)` may replace deletion.
template <class Self>
class RefCounted {
 public:
  RefCounted() = default;
  RefCounted(const RefCounted&) = delete;
  RefCounted& operator=(const RefCounted&) = delete;

  void retain() const noexcept { count_.fetch_add(1); }
  void release() const noexcept {
    // Nobody can join a sole owner: then no locked instruction is needed.
    if (count_.load_acquire() == 1 || count_.fetch_sub_ordered(1) == 1) {
      Self::destroy(static_cast<Self*>(const_cast<RefCounted*>(this)));
    }
  }
  int64_t use_count() const noexcept { return count_.load(); }

  static void destroy(Self* self) noexcept { delete self; }

 private:
  template <class>
  friend class Ref;
  mutable Atomic<int64_t> count_{0};
};

// A shared owner of a RefCounted object; one pointer wide.
template <class T>
class Ref {
 public:
  Ref() = default;
  Ref(std::nullptr_t) {}
  // The first owner of an object that nobody else has seen yet.
  static Ref first(T* p) {
    p->count_.store(1);
    Ref r;
    r.p_ = p;
    return r;
  }
  explicit Ref(T* p) : p_(p) {
    if (p_) p_->retain();
  }
  Ref(const Ref& o) : Ref(o.p_) {}
  template <class Derived>
  requires std::is_convertible_v<Derived*, T*> Ref(Ref<Derived> o) : Ref(o.get()) {}
  Ref(Ref&& o) noexcept : p_(std::exchange(o.p_, nullptr)) {}
  Ref& operator=(Ref o) noexcept {
    std::swap(p_, o.p_);
    return *this;
  }
  ~Ref() {
    if (p_) p_->release();
  }

  T* get() const noexcept { return p_; }
  T* operator->() const noexcept { return p_; }
  T& operator*() const noexcept { return *p_; }
  explicit operator bool() const noexcept { return p_ != nullptr; }
  bool operator==(const Ref& o) const noexcept { return p_ == o.p_; }

 private:
  T* p_ = nullptr;
};

template <class T, class... A>
Ref<T> make_ref(A&&... args) {
  return Ref<T>::first(new T(std::forward<A>(args)...));
}

}  // namespace espalier
