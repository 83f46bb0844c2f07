#pragma once

#include <espalier/core/deferred.h>
#include <espalier/core/error.h>
#include <espalier/nn/members.h>

#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace espalier::nn::detail {

struct Paths;

// One module's forward while it runs on this thread. Calls nest; the outermost knows the paths of all below
// it.
class Call {
 public:
  explicit Call(ModuleRef module);
  ~Call();
  Call(const Call&) = delete;
  Call& operator=(const Call&) = delete;

  bool recorded() const { return recorded_; }
  void enter(const std::vector<Tensor>& inputs);
  void leave(const std::vector<Tensor>& outputs);
  // Puts the module's path in front of an error that none of the modules it called has named.
  void failed(Error& error);

 private:
  std::string path() const;

  ModuleRef module_;
  Call* parent_;
  Call* outermost_;
  const Error* named_ = nullptr;  // an error that a called module has named
  std::unique_ptr<Paths> paths_;  // of the outermost
  bool recorded_;
  bool entered_ = false;
  std::optional<DeferScope> defer_;  // of the outermost; what is recorded is computed at once
};

// The tensors in an argument or a result, in order.
template <class T>
void collect_tensors(std::vector<Tensor>& out, const T& value) {
  if constexpr (std::is_base_of_v<Tensor, T>) out.push_back(value);
  else if constexpr (requires { value.begin() != value.end(); }) {
    for (const auto& v : value) collect_tensors(out, v);
  } else if constexpr (MaybeLike<T>) {
    if (value) collect_tensors(out, *value);
  } else if constexpr (TupleLike<T>) {
    std::apply([&](const auto&... v) { (collect_tensors(out, v), ...); }, value);
  }
}

template <class... T>
std::vector<Tensor> tensors_in(const T&... values) {
  std::vector<Tensor> out;
  (collect_tensors(out, values), ...);
  return out;
}

template <class M, class... A>
decltype(auto) call(M& module, ModuleRef ref, A&&... args) {
  Call scope(ref);
  try {
    if (scope.recorded()) scope.enter(tensors_in(args...));
    if constexpr (std::is_void_v<decltype(module.forward(std::forward<A>(args)...))>) {
      module.forward(std::forward<A>(args)...);
    } else {
      decltype(auto) result = module.forward(std::forward<A>(args)...);
      if (scope.recorded()) scope.leave(tensors_in(result));
      return result;
    }
  } catch (Error& error) {
    scope.failed(error);
    throw;
  }
}

}  // namespace espalier::nn::detail
