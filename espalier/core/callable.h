#pragma once

#include <cstddef>
#include <type_traits>
#include <utility>

namespace espalier {

template <class Signature>
class Callable;

// A function, lambda or object with operator(), kept by value; empty where default-constructed. What
// std::function is, whose header would cost each file that includes it a tenth of a second.
template <class R, class... A>
class Callable<R(A...)> {
 public:
  Callable() = default;
  Callable(std::nullptr_t) {}
  template <class F>
  requires(!std::is_same_v<std::remove_cvref_t<F>, Callable> && std::is_invocable_r_v<R, F&, A...>)
      Callable(F&& f)
      : kept_(new std::decay_t<F>(std::forward<F>(f))), type_(&type_of<std::decay_t<F>>) {}
  Callable(const Callable& o) : kept_(o.kept_ ? o.type_->copy(o.kept_) : nullptr), type_(o.type_) {}
  Callable(Callable&& o) noexcept : kept_(std::exchange(o.kept_, nullptr)), type_(o.type_) {}
  Callable& operator=(Callable o) noexcept {
    std::swap(kept_, o.kept_);
    std::swap(type_, o.type_);
    return *this;
  }
  ~Callable() {
    if (kept_) type_->destroy(kept_);
  }

  explicit operator bool() const { return kept_ != nullptr; }
  R operator()(A... arguments) const { return type_->call(kept_, std::forward<A>(arguments)...); }

 private:
  struct Type {
    R (*call)(void* f, A&&... arguments);
    void* (*copy)(const void* f);
    void (*destroy)(void* f);
  };
  template <class F>
  static constexpr Type type_of{
      [](void* f, A&&... arguments) -> R { return (*static_cast<F*>(f))(std::forward<A>(arguments)...); },
      [](const void* f) -> void* { return new F(*static_cast<const F*>(f)); },
      [](void* f) { delete static_cast<F*>(f); }};

  void* kept_ = nullptr;
  const Type* type_ = nullptr;
};

}  // namespace espalier
