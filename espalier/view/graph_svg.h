#pragma once

#include <string>

#include <espalier/view/graph.h>
#include <espalier/view/html.h>

namespace espalier::view {

// A graph as a drawing in the page, with its nodes as a table behind it.
Html graph_figure(const Graph& graph, const std::string& title);

// The drawing as a file of its own, in light colours.
std::string graph_svg(const Graph& graph, const std::string& title);

}  // namespace espalier::view
