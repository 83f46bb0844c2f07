#pragma once

#include <espalier/nn/bindings.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

// The members of a struct and their names, at compile time. The struct is an aggregate with one empty base,
// called ModuleBase in it, and up to 64 members that are neither references, bit-fields nor C arrays.
namespace espalier::nn::detail {

// Converts to whatever a member is. Never defined: for unevaluated places only.
struct AnyField {
  template <class T>
  operator T&() const& noexcept;
  template <class T>
  operator T&&() const&& noexcept;
};

// An aggregate's empty base takes the first initialiser, so it gets its own.
template <class T, std::size_t... I>
constexpr bool takes_fields(std::index_sequence<I...>) {
  return requires { T{typename T::ModuleBase{}, ((void)I, AnyField{})...}; };
}

// How many initialisers T takes, from N on. Too few fail as well, where a later member has no default.
template <class T, std::size_t N = 0, bool Met = false>
constexpr std::size_t field_count() {
  constexpr bool takes = takes_fields<T>(std::make_index_sequence<N>{});
  if constexpr (Met && !takes) return N - 1;
  else if constexpr (N > kMaxFields) return N;
  else return field_count<T, N + 1, takes>();
}

#pragma GCC diagnostic push
#ifdef __clang__
#pragma GCC diagnostic ignored "-Wundefined-var-template"
#pragma GCC diagnostic ignored "-Wundefined-internal"
#endif

// The members' names are in the text of pointers to the members of an object that is declared and never
// defined. By g++: "{((const void*)(& nowhere_at_all<Net>.Wrapper<Net>::value.Net::conv)), …", by clang:
// "{{&nowhere_at_all.value.conv, …".
template <class T>
struct Wrapper {
  T value;
};
template <class T>
extern const Wrapper<T> nowhere_at_all;

template <std::size_t N>
struct Places {
  const void* at[N];
};
template <class T, std::size_t N>
constexpr Places<N> places() {
  return with_fields<N>(nowhere_at_all<T>.value, [](auto&... field) { return Places<N>{{&field...}}; });
}

template <auto P>
constexpr std::string_view places_text() {
  return __PRETTY_FUNCTION__;
}
#pragma GCC diagnostic pop

// "conv, fc"
std::string names_in(std::string_view places_text);

template <class T>
constexpr std::string_view type_text() {
  return __PRETTY_FUNCTION__;
}

// "Block" of "… [with T = models::Block<int>; …]".
constexpr std::string_view unqualified(std::string_view text) {
  auto begin = text.find("T = ") + 4, end = text.find(';', begin);
  std::string_view type = text.substr(begin, (end == text.npos ? text.size() - 1 : end) - begin);
  int depth = 0;
  while (!type.empty() && (type.back() == '>' || depth > 0)) {
    depth += (type.back() == '>') - (type.back() == '<');
    type.remove_suffix(1);
  }
  auto colon = type.rfind(':');
  return colon == type.npos ? type : type.substr(colon + 1);
}

template <class T>
constexpr std::string_view type_name() {
  return unqualified(type_text<T>());
}

}  // namespace espalier::nn::detail
