#pragma once

#include <string>
#include <vector>

#include <espalier/trace/record.h>

namespace espalier::view {

// How data goes through a model: its stages, and who gives to whom. Modules of one kind that follow each
// other in a row are rolled up: the first is shown, and says how many there are.
struct Graph {
  struct Node {
    std::string name;    // "layer1.0.conv1"; an operation's name
    std::string kind;    // "Conv2d"; "" of the input and of operations
    std::string detail;  // the output's shape
    std::string family;  // for its colour: "input", "product", "norm", "activation", "shape", "other"
  };
  struct Edge {
    size_t from = 0, to = 0;
  };
  // Nodes [first, last] that stand for `times` modules.
  struct Group {
    std::string name;  // "layer1.0 … layer1.2"
    size_t first = 0, last = 0;
    int64_t times = 1;
  };
  std::vector<Node> nodes;  // in the order in which they ran; the first is the input
  std::vector<Edge> edges;
  std::vector<Group> groups;
};

Graph graph(const trace::Record& record);

}  // namespace espalier::view
