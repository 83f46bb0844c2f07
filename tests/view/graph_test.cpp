#include <espalier/view/graph.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include <espalier/models/resnet.h>
#include <espalier/view/graph_svg.h>
#include <espalier/view/layout.h>

namespace espalier::view {
namespace {

struct Block : nn::Module<Block> {
  int width = 4;
  nn::Linear a{width, width};
  nn::Linear b{width, width};
  Tensor forward(const Tensor& x) { return b(relu(a(x))) + x; }
};

struct Net : nn::Module<Net> {
  std::vector<Block> blocks = std::vector<Block>(3);
  nn::Linear head{4, 2};
  Tensor forward(Tensor x) {
    for (auto& block : blocks) x = block(x);
    return head(x);
  }
};

template <class M>
Graph graph_of(M& model, const Shape& input) {
  return graph(nn::trace_shapes(
      model.ref(), [](void* m, const Tensor& x) { return (*static_cast<M*>(m))(x); }, input));
}

TEST(Graph, RollsUpModulesThatRepeat) {
  Net net;
  Graph g = graph_of(net, {1, 4});
  std::vector<std::string> names;
  for (const auto& n : g.nodes) names.push_back(n.name);
  EXPECT_THAT(names, testing::ElementsAre("input", "blocks.0.a", "blocks.0.relu", "blocks.0.b",
                                          "blocks.0.add", "head"));
  ASSERT_EQ(g.groups.size(), 1u);
  EXPECT_EQ(g.groups[0].times, 3);
  EXPECT_EQ(g.groups[0].first, 1u);
  EXPECT_EQ(g.groups[0].last, 4u);
}

TEST(Graph, HasTheEdgesOfAShortcut) {
  Net net;
  Graph g = graph_of(net, {1, 4});
  std::vector<std::pair<size_t, size_t>> edges;
  for (const auto& e : g.edges) edges.emplace_back(e.from, e.to);
  EXPECT_THAT(edges, testing::UnorderedElementsAre(std::pair(0, 1), std::pair(1, 2), std::pair(2, 3),
                                                   std::pair(3, 4), std::pair(0, 4), std::pair(4, 5)));
}

TEST(Graph, OfNothingIsEmpty) { EXPECT_TRUE(graph(trace::Record{}).nodes.empty()); }

TEST(Layout, PutsEveryBoxBelowThoseThatLeadToItAndNoTwoOnEachOther) {
  models::ResNet net({.blocks = {2, 2, 2}, .width = 8});
  Graph g = graph_of(net, {1, 3, 32, 32});
  std::vector<Link> links;
  for (const auto& e : g.edges) links.push_back({e.from, e.to});
  LayoutSizes sizes;
  Layout l = layout(g.nodes.size(), links, sizes);
  for (const Link& link : links)
    EXPECT_GE(l.boxes[link.to].y - l.boxes[link.from].y, sizes.height + sizes.gap_y - 1e-6);
  for (size_t a = 0; a < l.boxes.size(); ++a) {
    for (size_t b = 0; b < a; ++b) {
      bool apart = std::abs(l.boxes[a].y - l.boxes[b].y) > sizes.height ||
                   std::abs(l.boxes[a].x - l.boxes[b].x) > sizes.width;
      EXPECT_TRUE(apart) << g.nodes[a].name << " and " << g.nodes[b].name;
    }
  }
  for (const Point& p : l.boxes) {
    EXPECT_GE(p.x, sizes.width / 2 - 1e-6);
    EXPECT_LE(p.x, l.width - sizes.width / 2 + 1e-6);
    EXPECT_LE(p.y, l.height - sizes.height / 2 + 1e-6);
  }
}

TEST(GraphSvg, IsAFileOfItsOwnWithEscapedNames) {
  Graph g;
  g.nodes = {{"input", "", "[1]", "input"}, {"<script>", "Evil\"&", "[1]", "other"}};
  g.edges = {{0, 1}};
  std::string svg = graph_svg(g, "a < b");
  EXPECT_EQ(svg.find("<script"), svg.npos);
  EXPECT_THAT(svg, testing::HasSubstr("xmlns=\"http://www.w3.org/2000/svg\""));
  EXPECT_THAT(svg, testing::HasSubstr("a &lt; b"));
}

}  // namespace
}  // namespace espalier::view
