#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <type_traits>

#include <espalier/core/text.h>

// HTML and SVG, put together so that nothing that comes from outside can become markup.
namespace espalier::view {

// The name of an element or attribute: a literal of the program, never a text that was read.
class Name {
 public:
  template <size_t N>
  consteval Name(const char (&name)[N]) : text_(name) {}
  const char* text() const { return text_; }

 private:
  const char* text_;
};

struct Attribute {
  template <class T>
  Attribute(Name name, const T& value) : name(name), value(concat(value)) {}
  Name name;
  std::string value;
};
using Attributes = std::initializer_list<Attribute>;

// A piece of a document. Text that it is made of is escaped; only Html enters as it is.
class Html {
 public:
  Html() = default;
  template <class T>
  requires(!std::is_same_v<T, Html>) Html(const T& text) { add_text(concat(text)); }
  Html& operator+=(const Html& more) {
    markup_ += more.markup_;
    return *this;
  }
  const std::string& str() const { return markup_; }
  bool empty() const { return markup_.empty(); }

 private:
  friend Html begin_tag(Name name, Attributes attributes);
  friend Html end_tag(Name name);
  friend Html verbatim(std::string_view markup);
  void add_text(std::string_view text);

  std::string markup_;
};

Html begin_tag(Name name, Attributes attributes = {});
Html end_tag(Name name);
// Markup that the program itself holds, such as a style sheet.
Html verbatim(std::string_view markup);

// <name attributes>parts</name>; a part is Html, text or a number.
template <class... Parts>
Html tag(Name name, Attributes attributes, const Parts&... parts) {
  Html out = begin_tag(name, attributes);
  ((out += Html(parts)), ...);
  out += end_tag(name);
  return out;
}

// Of an element without an end, such as <img>.
inline Html void_tag(Name name, Attributes attributes) { return begin_tag(name, attributes); }

// A name as a part of an address: what is not a letter, digit or one of -._~ is written as %41.
std::string url_part(std::string_view name);

// "data:image/png;base64,…"
std::string data_url(std::string_view type, std::string_view bytes);

}  // namespace espalier::view
