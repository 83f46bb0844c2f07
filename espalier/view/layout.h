#pragma once

#include <cstddef>
#include <vector>

namespace espalier::view {

struct Point {
  double x = 0, y = 0;
};

struct Link {
  size_t from = 0, to = 0;  // boxes; from < to
};

// Where the boxes of a graph without circles stand, each below those that lead to it, and the points that its
// links go through.
struct Layout {
  std::vector<Point> boxes;               // centres
  std::vector<std::vector<Point>> links;  // from the lower edge of a box to the upper edge of another
  double width = 0, height = 0;
};

struct LayoutSizes {
  double width = 210, height = 44;  // of a box
  double gap_x = 26, gap_y = 30;
  double lane = 18;  // room that a link takes beside boxes that it passes
};

// Layers by the longest way from the top; long links get a place in each layer that they pass; the order in a
// layer follows its neighbours' (Sugiyama's method).
Layout layout(size_t boxes, const std::vector<Link>& links, const LayoutSizes& sizes = {});

}  // namespace espalier::view
