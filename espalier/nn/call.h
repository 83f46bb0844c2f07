#pragma once

#include <espalier/core/deferred.h>
#include <espalier/core/error.h>
#include <espalier/nn/members.h>

#include <optional>
#include <string>
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
  // Notes a tensor for the enter or leave that follows.
  void note(const Tensor& tensor);
  void enter();  // with the inputs noted
  void leave();  // with the outputs noted
  // Puts the module's path in front of an error that none of the modules it called has named.
  void failed(Error& error);

 private:
  std::string path() const;

  ModuleRef module_;
  Call* parent_;
  Call* outermost_;
  const Error* named_ = nullptr;  // an error that a called module has named
  Paths* paths_ = nullptr;        // of the outermost, which owns them
  std::vector<Tensor> noted_;
  bool recorded_;
  bool entered_ = false;
  std::optional<DeferScope> defer_;  // of the outermost; what is recorded is computed at once
};

// Notes the tensors in an argument or a result, in order.
template <class T>
void note_tensors(Call& call, const T& value) {
  if constexpr (std::is_base_of_v<Tensor, T>) call.note(value);
  else if constexpr (requires { value.begin() != value.end(); }) {
    for (const auto& v : value) note_tensors(call, v);
  } else if constexpr (MaybeLike<T>) {
    if (value) note_tensors(call, *value);
  } else if constexpr (TupleLike<T>) {
    for_each_element(value, [&](const auto& v) { note_tensors(call, v); });
  }
}

template <class M, class... A>
decltype(auto) call(M& module, ModuleRef ref, A&&... args) {
  Call scope(ref);
  try {
    if (scope.recorded()) (note_tensors(scope, args), ...), scope.enter();
    if constexpr (std::is_void_v<decltype(module.forward(std::forward<A>(args)...))>) {
      module.forward(std::forward<A>(args)...);
    } else {
      decltype(auto) result = module.forward(std::forward<A>(args)...);
      if (scope.recorded()) note_tensors(scope, result), scope.leave();
      return result;
    }
  } catch (Error& error) {
    scope.failed(error);
    throw;
  }
}

}  // namespace espalier::nn::detail
