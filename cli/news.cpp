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

// Of a document that view::Html wrote: every element that is not void has an end, every value is quoted.
struct Node {
  Text all;       // from its beginning to its end
  Text tag = {};  // "<path d="M0 1">"; none of a text
  std::vector<Node> children = {};
};

Text name_of(Text tag) { return tag.substr(1, tag.find_first_of(" >") - 1); }

bool is_void(Text tag) {
  static constexpr Text kNames[] = {"br", "col", "hr", "img", "input"};
  return std::ranges::find(kNames, name_of(tag)) != std::end(kNames);
}

Text cut(Text& from, size_t length) {
  Text out = from.substr(0, length);
  from.remove_prefix(out.size());
  return out;
}

// The nodes that `rest` begins with, up to the end of what they stand in.
std::vector<Node> read(Text& rest) {
  std::vector<Node> out;
  while (!rest.empty() && !rest.starts_with("</")) {
    Text from = rest;
    if (rest[0] != '<') {
      out.push_back({.all = cut(rest, rest.find('<'))});
      continue;
    }
    Node node{.all = from, .tag = cut(rest, rest.find('>') + 1)};
    if (!is_void(node.tag)) {
      node.children = read(rest);
      cut(rest, rest.find('>') + 1);
    }
    node.all = from.substr(0, from.size() - rest.size());
    out.push_back(std::move(node));
  }
  return out;
}

Attributes attributes(Text tag) {
  Attributes out;
  for (size_t begin; (begin = tag.find(' ')) != Text::npos;) {
    tag.remove_prefix(begin + 1);
    size_t equals = tag.find("=\""), end = tag.find('"', equals + 2);
    out.emplace_back(tag.substr(0, equals), tag.substr(equals + 2, end - equals - 2));
    tag.remove_prefix(end);
  }
  return out;
}

// Whether a value can be sent by itself: with characters that are written as entities it is part of a piece.
bool is_plain(Text value) { return value.find('&') == Text::npos; }

// Whether the one can become the other by values, at least on the outside.
bool alike(const Node& now, const Node& before) {
  if (now.all == before.all) return true;
  if (now.tag.empty() || before.tag.empty())
    return now.tag.empty() && before.tag.empty() && is_plain(now.all);
  if (now.tag == before.tag) return true;
  if (name_of(now.tag) != name_of(before.tag)) return false;
  return std::ranges::equal(attributes(now.tag), attributes(before.tag), [](const auto& a, const auto& b) {
    return a.first == b.first && (a.second == b.second || is_plain(a.second));
  });
}

class Edits {
 public:
  // Of the children of the node that the way leads to. Nodes at the beginning that are alike become one
  // another, so do those at the end, and what is between is replaced.
  void add(const std::vector<Node>& now, const std::vector<Node>& before) {
    size_t both = std::min(now.size(), before.size()), front = 0, back = 0;
    for (; front < both && alike(now[front], before[front]); ++front) add(now[front], before[front], front);
    while (front + back < both && alike(now[now.size() - back - 1], before[before.size() - back - 1])) {
      ++back;
      add(now[now.size() - back], before[before.size() - back], before.size() - back);
    }
    if (front + back == std::max(now.size(), before.size())) return;
    std::string fresh;
    for (size_t i = front; i < now.size() - back; ++i) fresh += now[i].all;
    out_.push_back({way_, front, before.size() - back - front, fresh});
  }

  std::string text() const { return out_.dump(); }

 private:
  void add(const Node& now, const Node& before, size_t at) {
    if (now.all == before.all) return;
    way_.push_back(at);
    if (now.tag.empty()) out_.push_back({way_, now.all});
    else {
      if (now.tag != before.tag) add_attributes(attributes(now.tag), attributes(before.tag));
      add(now.children, before.children);
    }
    way_.pop_back();
  }

  void add_attributes(const Attributes& now, const Attributes& before) {
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i].second != before[i].second) out_.push_back({way_, now[i].first, now[i].second});
    }
  }

  Json out_ = Json::array();
  std::vector<size_t> way_;
};

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

std::string edits(const std::string& html, const std::string& before) {
  Text now = html, old = before;
  Edits out;
  out.add(read(now), read(old));
  return out.text();
}

}  // namespace espalier::cli
