#include <espalier/view/graph_svg.h>

#include <algorithm>
#include <map>

#include <espalier/core/table.h>
#include <espalier/view/assets.h>
#include <espalier/view/chart.h>
#include <espalier/view/layout.h>

namespace espalier::view {
namespace {

constexpr LayoutSizes kSizes{};
constexpr double kMargin = 40;                            // around all: room for the frames of groups
constexpr size_t kNameLetters = 25, kDetailLetters = 31;  // that a box has room for

std::string shortened(const std::string& text, size_t most) {
  if (text::width(text) <= most) return text;
  std::string out;
  size_t letters = 0, skip = text::width(text) - most + 1;
  for (char c : text) {
    bool begins = (static_cast<unsigned char>(c) & 0xC0) != 0x80;
    if (begins && letters++ == skip) out = "…";
    if (letters > skip) out += c;
  }
  return out;
}

Layout layout_of(const Graph& graph) {
  std::vector<Link> links;
  for (const Graph::Edge& e : graph.edges) links.push_back({e.from, e.to});
  Layout out = layout(graph.nodes.size(), links);
  auto move = [](Point& p) { p.x += kMargin, p.y += kMargin; };
  for (Point& p : out.boxes) move(p);
  for (auto& link : out.links) std::for_each(link.begin(), link.end(), move);
  out.width += 2 * kMargin, out.height += 2 * kMargin;
  return out;
}

// Straight through the layers, with a curve between them.
std::string path(const std::vector<Point>& points) {
  std::string out = concat("M", px(points[0].x), " ", px(points[0].y));
  for (size_t i = 1; i < points.size(); ++i) {
    const Point &a = points[i - 1], &b = points[i];
    double middle = (a.y + b.y) / 2;
    if (a.x == b.x) out += concat("L", px(b.x), " ", px(b.y));
    else
      out += concat("C", px(a.x), " ", px(middle), " ", px(b.x), " ", px(middle), " ", px(b.x), " ", px(b.y));
  }
  return out;
}

Html box(const Graph::Node& node, const Point& at) {
  double left = at.x - kSizes.width / 2, top = at.y - kSizes.height / 2;
  std::string below = node.kind.empty() ? node.detail : concat(node.kind, "  ", node.detail);
  return tag("g", {{"class", concat("box is-", node.family)}}, tag("title", {}, node.name, ": ", below),
             tag("rect", {{"class", "frame"},
                          {"x", px(left)},
                          {"y", px(top)},
                          {"width", px(kSizes.width)},
                          {"height", px(kSizes.height)},
                          {"rx", 4}}),
             tag("rect", {{"class", "edge"},
                          {"x", px(left)},
                          {"y", px(top)},
                          {"width", 5},
                          {"height", px(kSizes.height)},
                          {"rx", 2}}),
             tag("text", {{"class", "name"}, {"x", px(left + 14)}, {"y", px(at.y - 4)}},
                 shortened(node.name, kNameLetters)),
             tag("text", {{"class", "detail"}, {"x", px(left + 14)}, {"y", px(at.y + 13)}},
                 shortened(below, kDetailLetters)));
}

Html frame(const Graph::Group& group, const Layout& layout, double depth) {
  double left = 1e9, right = 0, top = 1e9, bottom = 0, pad = 14 - 3 * depth;
  for (size_t i = group.first; i <= group.last; ++i) {
    left = std::min(left, layout.boxes[i].x), right = std::max(right, layout.boxes[i].x);
    top = std::min(top, layout.boxes[i].y), bottom = std::max(bottom, layout.boxes[i].y);
  }
  left -= kSizes.width / 2 + pad, right += kSizes.width / 2 + pad;
  top -= kSizes.height / 2 + pad - 2, bottom += kSizes.height / 2 + pad - 2;
  return tag(
      "g", {{"class", "group"}}, tag("title", {}, group.name),
      tag("rect", {{"x", px(left)},
                   {"y", px(top)},
                   {"width", px(right - left)},
                   {"height", px(bottom - top)},
                   {"rx", 8}}),
      tag("text", {{"x", px(right - 8)}, {"y", px(bottom - 7)}, {"text-anchor", "end"}}, "×", group.times));
}

Html drawing(const Graph& graph, const Layout& layout) {
  Html out;
  for (const auto& link : layout.links) out += tag("path", {{"class", "link"}, {"d", path(link)}});
  for (const auto& link : layout.links) {
    const Point& end = link.back();
    out += tag("path", {{"class", "head"}, {"d", concat("M", px(end.x), " ", px(end.y), "l-4 -7h8z")}});
  }
  for (size_t i = 0; i < graph.nodes.size(); ++i) out += box(graph.nodes[i], layout.boxes[i]);
  for (const Graph::Group& group : graph.groups) {
    auto around = std::count_if(graph.groups.begin(), graph.groups.end(), [&](const Graph::Group& other) {
      return &other != &group && other.first <= group.first && group.last <= other.last;
    });
    out += frame(group, layout, static_cast<double>(around));
  }
  return out;
}

std::string description(const Graph& graph) {
  std::string out = concat(graph.nodes.size(), " stages from the input to ", graph.nodes.back().name, ".");
  for (const Graph::Group& g : graph.groups)
    out += concat(" ", g.name, ": ", g.times, " alike, the first is drawn.");
  return out;
}

Html nodes_table(const Graph& graph) {
  std::vector<std::string> from(graph.nodes.size());
  for (const Graph::Edge& e : graph.edges)
    from[e.to] += concat(from[e.to].empty() ? "" : ", ", graph.nodes[e.from].name);
  std::vector<std::vector<Html>> rows;
  for (size_t i = 0; i < graph.nodes.size(); ++i)
    rows.push_back({graph.nodes[i].name, graph.nodes[i].kind, from[i], graph.nodes[i].detail});
  return tag(
      "details", {{"class", "figures"}}, tag("summary", {}, "Stages as a table"),
      table({"Stage", "Kind", "Gets its input from", "Gives"}, rows, {.caption = "Stages of the graph"}));
}

}  // namespace

Html graph_figure(const Graph& graph, const std::string& title) {
  Layout layout = layout_of(graph);
  Html svg = tag("svg",
                 {{"class", "graph"},
                  {"viewBox", concat("0 0 ", px(layout.width), " ", px(layout.height))},
                  {"width", px(layout.width)},
                  {"height", px(layout.height)},
                  {"role", "img"},
                  {"aria-labelledby", "graph-title graph-desc"}},
                 tag("title", {{"id", "graph-title"}}, title),
                 tag("desc", {{"id", "graph-desc"}}, description(graph)), drawing(graph, layout));
  Html link = tag("a",
                  {{"class", "screen"},
                   {"download", "structure.svg"},
                   {"href", data_url("image/svg+xml", graph_svg(graph, title))}},
                  "Download the drawing (SVG)");
  return tag(
      "figure", {},
      tag("div", {{"class", "wide"}, {"tabindex", 0}, {"role", "group"}, {"aria-label", "Drawing"}}, svg),
      tag("p", {}, link), nodes_table(graph));
}

std::string graph_svg(const Graph& graph, const std::string& title) {
  Layout layout = layout_of(graph);
  Html svg = tag("svg",
                 {{"xmlns", "http://www.w3.org/2000/svg"},
                  {"class", "graph"},
                  {"viewBox", concat("0 0 ", px(layout.width), " ", px(layout.height))},
                  {"width", px(layout.width)},
                  {"height", px(layout.height)}},
                 tag("title", {}, title), tag("desc", {}, description(graph)),
                 tag("style", {}, verbatim(asset("graph.css").text)), drawing(graph, layout));
  return concat("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n", svg.str(), "\n");
}

}  // namespace espalier::view
