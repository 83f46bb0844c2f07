#pragma once

#include <espalier/nn/module_ref.h>
#include <espalier/nn/reflect.h>

#include <concepts>

// From a module's type to its ModuleType: the only part of a module that is compiled for each type.
namespace espalier::nn {

template <class Self>
struct Module;

namespace detail {

// Calls f with each element of a tuple, pair or array.
template <class T, class F>
void for_each_element(T& tuple, F&& f) {
  using std::get;  // std::tuple's is found by its argument: no header for it here
  [&]<std::size_t... I>(std::index_sequence<I...>) { (f(get<I>(tuple)), ...); }
  (std::make_index_sequence<std::tuple_size_v<std::remove_cv_t<T>>>{});
}

// What a member is to its module. Containers are told by what they offer, so that no container's header is
// needed here; they take part when their elements do.
enum class Role { setting, tensor, module, erased, maybe, list, dict, tuple };

template <class T>
consteval Role role_of();
template <class T>
inline constexpr Role role = role_of<std::remove_cv_t<T>>();
template <class T>
inline constexpr bool takes_part = role<T> != Role::setting;

template <class T, std::size_t... I>
consteval bool any_takes_part(std::index_sequence<I...>) {
  return (takes_part<std::tuple_element_t<I, T>> || ...);
}

template <class T>
concept DictLike = requires {
  typename T::mapped_type;
  std::string_view(std::declval<typename T::key_type>());
};
template <class T>
concept ListLike = requires(T t) {
  requires !std::same_as<T, typename T::value_type>;
  t.begin();
  t.size();
};
template <class T>
concept MaybeLike = std::is_class_v<T> && requires(T t) {
  t ? &*t : nullptr;
};
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};

template <class T>
consteval Role role_of() {
  auto container = [](Role role, bool elements) { return elements ? role : Role::setting; };
  if constexpr (std::is_same_v<T, Parameter> || std::is_same_v<T, Buffer>) return Role::tensor;
  else if constexpr (requires { typename T::ModuleBase; }) return Role::module;
  else if constexpr (requires(T t) {
                       { t.ref() } -> std::same_as<ModuleRef>;
                     })
    return Role::erased;
  else if constexpr (DictLike<T>) return container(Role::dict, takes_part<typename T::mapped_type>);
  else if constexpr (ListLike<T>) return container(Role::list, takes_part<typename T::value_type>);
  else if constexpr (MaybeLike<T>)
    return container(Role::maybe, takes_part<std::remove_reference_t<decltype(*std::declval<T&>())>>);
  else if constexpr (TupleLike<T>)
    return container(Role::tuple, any_takes_part<T>(std::make_index_sequence<std::tuple_size_v<T>>{}));
  else return Role::setting;
}

template <class T>
ModuleRef ref_of(T& module) {
  if constexpr (role<T> == Role::erased) return module.ref();
  else return {&module, type_of<T>()};
}

template <class T>
void add(Fields& out, std::string_view name, T& member) {
  if constexpr (std::is_const_v<T>) add(out, name, const_cast<std::remove_const_t<T>&>(member));
  else if constexpr (role<T> == Role::maybe) {
    if (member) add(out, name, *member);
  } else if constexpr (role<T> == Role::tensor) out.add(name, member);
  else if constexpr (takes_part<T>) out.add(name, ref_of(member));
}

// Takes the first name of "norm, fc".
std::string_view next_name(std::string_view& names);

template <class... M>
void add_listed(Fields& out, std::string_view names, M&... members) {
  auto one = [&](auto& member) {
    std::string_view name = next_name(names);
    if constexpr (std::is_same_v<decltype(member), bool&>) out.add_flag(name, member);
    else add(out, name, member);
  };
  (one(members), ...);
}

// Reaches what ESPALIER_FIELDS made.
struct Access {
  template <class T>
  static auto list(T& module, Fields& out) -> decltype(T::espalier_fields(module, out)) {
    T::espalier_fields(module, out);
  }
};

template <class T>
void module_fields(T& module, Fields& out) {
  static_assert(std::is_same_v<typename T::ModuleBase, Module<T>>,
                "a module derives from nn::Module<its own name>, directly: struct Net : nn::Module<Net>");
  if constexpr (requires { Access::list(module, out); }) Access::list(module, out);
  else {
    static_assert(
        std::is_aggregate_v<T>,
        "a module with a constructor or private members lists them: ESPALIER_FIELDS(Net, conv, fc)");
    constexpr std::size_t n = field_count<T>();
    static_assert(n <= kMaxFields,
                  "this module's members can't be found (more than 64, or a reference or bit-field): "
                  "list them with ESPALIER_FIELDS(Net, conv, fc)");
    if constexpr (n > 0) {
      static const std::string names = names_in(places_text<places<T, n>()>());
      with_fields<n>(module, [&](auto&... member) { add_listed(out, names, member...); });
    }
  }
}

template <class T>
void container_fields(T& container, Fields& out) {
  std::size_t i = 0;
  auto next = [&](auto& element) { add(out, std::to_string(i++), element); };
  if constexpr (role<T> == Role::dict) {
    for (auto& [key, element] : container) add(out, key, element);
  } else if constexpr (role<T> == Role::list) {
    for (auto& element : container) next(element);
  } else {
    for_each_element(container, next);
  }
}

template <class T>
consteval std::string_view kind_of() {
  if constexpr (role<T> == Role::module) return type_name<T>();
  else if constexpr (role<T> == Role::dict)
    return role<typename T::mapped_type> == Role::tensor ? "ParameterDict" : "ModuleDict";
  else if constexpr (role<T> == Role::list)
    return role<typename T::value_type> == Role::tensor ? "ParameterList" : "ModuleList";
  else return "ModuleList";
}

template <class T>
void fields_of(void* module, Fields& out) {
  if constexpr (role<T> == Role::module) module_fields(*static_cast<T*>(module), out);
  else container_fields(*static_cast<T*>(module), out);
}

template <class T>
std::string extra_repr_of(const void* module) {
  return static_cast<const T*>(module)->extra_repr();
}

template <class T>
const ModuleType& type_of() {
  if constexpr (requires(const T& t) { t.extra_repr(); }) {
    static constexpr ModuleType type{kind_of<T>(), fields_of<T>, extra_repr_of<T>};
    return type;
  } else {
    static constexpr ModuleType type{kind_of<T>(), fields_of<T>, nullptr};
    return type;
  }
}

}  // namespace detail
}  // namespace espalier::nn
