#include "news.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

namespace espalier::cli {
namespace {

using Json = nlohmann::json;
using Text = std::string_view;
using Attributes = std::vector<std::pair<Text, Text>>;

// What a text is made of: figures with an id, and what stands between them.
std::vector<Text> pieces(Text html) {
  static constexpr Text kBegin = "<figure id=\"", kEnd = "</figure>";
  std::vector<Text> out;
  for (size_t found; (found = html.find(kBegin)) != Text::npos;) {
    size_t end = html.find(kEnd, found) + kEnd.size();
    out.push_back(html.substr(0, found));
    out.push_back(html.substr(found, end - found));
    html.remove_prefix(end);
  }
  out.push_back(html);
  return out;
}

bool is_figure(size_t piece) { return piece % 2 == 1; }

Text id_of(Text figure) {
  size_t begin = figure.find('"') + 1;
  return figure.substr(begin, figure.find('"', begin) - begin);
}

// Tags, and the texts between them.
std::vector<Text> tokens(Text html) {
  std::vector<Text> out;
  while (!html.empty()) {
    size_t end = html[0] == '<' ? html.find('>') + 1 : std::min(html.find('<'), html.size());
    out.push_back(html.substr(0, end));
    html.remove_prefix(end);
  }
  return out;
}

bool opens(Text token) { return token[0] == '<' && token[1] != '/'; }

Text name_of(Text tag) { return tag.substr(1, tag.find_first_of(" >") - 1); }

// Those of <path class="stroke" d="M0 1">.
Attributes attributes(Text tag) {
  Attributes out;
  for (size_t begin; (begin = tag.find(' ')) != Text::npos;) {
    tag.remove_prefix(begin + 1);
    size_t equals = tag.find("=\""), end = equals == Text::npos ? equals : tag.find('"', equals + 2);
    if (end == Text::npos) break;
    out.emplace_back(tag.substr(0, equals), tag.substr(equals + 2, end - equals - 2));
    tag.remove_prefix(end);
  }
  return out;
}

// A figure beside what it was.
class Changes {
 public:
  Changes(Json& out, Text figure) : out_(out), id_(id_of(figure)) {}

  // False where more than values differ, or a value has characters that are written as entities.
  bool add(const std::vector<Text>& now, const std::vector<Text>& before) {
    if (now.size() != before.size()) return false;
    for (size_t i = 0; i < now.size(); ++i) {
      if (opens(now[i])) ++element_;
      if (now[i] == before[i]) continue;
      if (opens(now[i]) ? !add_attributes(now[i], before[i]) : !add_text(now, i)) return false;
    }
    return true;
  }

 private:
  bool add_attributes(Text now, Text before) {
    Attributes a = attributes(now), b = attributes(before);
    if (!opens(before) || name_of(now) != name_of(before) || a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (a[i].first != b[i].first) return false;
      if (a[i].second != b[i].second && !add(a[i].first, a[i].second)) return false;
    }
    return true;
  }

  // Only the whole text of an element.
  bool add_text(const std::vector<Text>& now, size_t i) {
    if (now[i][0] == '<' || !opens(now[i - 1])) return false;
    return name_of(now[i - 1]) == now[i + 1].substr(2, now[i + 1].size() - 3) && add("", now[i]);
  }

  bool add(Text name, Text value) {
    if (value.find('&') != Text::npos) return false;
    out_.push_back({id_, element_, name, value});
    return true;
  }

  Json& out_;
  Text id_;
  int element_ = -2;  // the figure itself becomes -1
};

// None where it takes more than values.
std::string changes(const std::vector<Text>& now, const std::vector<Text>& before) {
  if (now.size() != before.size()) return "";
  Json out = Json::array();
  for (size_t i = 0; i < now.size(); ++i) {
    if (now[i] == before[i]) continue;
    if (!is_figure(i) || id_of(now[i]) != id_of(before[i])) return "";
    if (!Changes(out, now[i]).add(tokens(now[i]), tokens(before[i]))) return "";
  }
  return out.dump();
}

}  // namespace

std::string without_tables(const std::string& html) {
  static constexpr Text kBegin = "<details class=\"figures\">", kHead = "</summary>", kEnd = "</details>";
  std::string out;
  size_t at = 0;
  for (size_t found; (found = html.find(kBegin, at)) != std::string::npos;) {
    size_t rows = html.find(kHead, found) + kHead.size();
    out += html.substr(at, rows - at);
    at = html.find(kEnd, rows);
  }
  return out += html.substr(at);
}

std::string what_is_new(const std::string& html, const std::string& before) {
  std::vector<Text> now = pieces(html);
  if (std::string values = changes(now, pieces(before)); !values.empty()) return values;
  std::string out;
  for (size_t i = 0; i < now.size(); ++i) {
    if (is_figure(i) && before.find(now[i]) != std::string::npos)
      out.append("<figure id=\"").append(id_of(now[i])).append("\" data-same></figure>");
    else out += now[i];
  }
  return out;
}

}  // namespace espalier::cli
