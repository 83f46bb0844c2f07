#include <espalier/view/html.h>

#include <cstdint>

namespace espalier::view {
namespace {

// The length of the UTF-8 character that `text` begins with; 0 where it is not one.
size_t utf8_length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  size_t n = first < 0x80                    ? 1
             : first >= 0xC2 && first < 0xE0 ? 2
             : first < 0xE0                  ? 0
             : first < 0xF0                  ? 3
             : first < 0xF5                  ? 4
                                             : 0;
  if (n == 0 || n > text.size()) return 0;
  for (size_t i = 1; i < n; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (n == 3 && ((first == 0xE0 && byte(1) < 0xA0) || (first == 0xED && byte(1) >= 0xA0))) return 0;
  if (n == 4 && ((first == 0xF0 && byte(1) < 0x90) || (first == 0xF4 && byte(1) >= 0x90))) return 0;
  return n;
}

void escape(std::string& out, char c) {
  switch (c) {
    case '&': out += "&amp;"; break;
    case '<': out += "&lt;"; break;
    case '>': out += "&gt;"; break;
    case '"': out += "&quot;"; break;
    case '\'': out += "&#39;"; break;
    case '\n': out += '\n'; break;
    default:
      if (static_cast<unsigned char>(c) >= 0x20 && c != 0x7F) out += c;
      else out += "\uFFFD";
  }
}

// What is not UTF-8, and control characters, become U+FFFD.
void escape(std::string& out, std::string_view text) {
  while (!text.empty()) {
    size_t n = utf8_length(text);
    if (n > 1) out += text.substr(0, n);
    else if (n == 1) escape(out, text[0]);
    else out += "\uFFFD";
    text.remove_prefix(std::max<size_t>(n, 1));
  }
}

std::string base64(std::string_view bytes) {
  static constexpr char kDigits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k) {
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    }
    for (size_t k = 0; k < 4; ++k) out += i + k <= bytes.size() ? kDigits[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

}  // namespace

void Html::add_text(std::string_view text) { escape(markup_, text); }

Html begin_tag(Name name, Attributes attributes) {
  Html out;
  out.markup_ += '<';
  out.markup_ += name.text();
  for (const Attribute& a : attributes) {
    out.markup_ += ' ';
    out.markup_ += a.name.text();
    out.markup_ += "=\"";
    escape(out.markup_, a.value);
    out.markup_ += '"';
  }
  out.markup_ += '>';
  return out;
}

Html end_tag(Name name) {
  Html out;
  out.markup_ = concat("</", name.text(), ">");
  return out;
}

Html verbatim(std::string_view markup) {
  Html out;
  out.markup_ = markup;
  return out;
}

std::string data_url(std::string_view type, std::string_view bytes) {
  return concat("data:", type, ";base64,", base64(bytes));
}

std::string url_part(std::string_view name) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (unsigned char c : name) {
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (plain || c == '-' || c == '.' || c == '_' || c == '~') out += static_cast<char>(c);
    else out += {'%', kDigits[c >> 4], kDigits[c & 15]};
  }
  return out;
}

}  // namespace espalier::view
