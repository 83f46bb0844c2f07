#include <espalier/view/layout.h>

#include <algorithm>
#include <cmath>

namespace espalier::view {
namespace {

constexpr int kSweeps = 6;

class Layers {
 public:
  Layers(size_t boxes, const std::vector<Link>& links, const LayoutSizes& sizes)
      : sizes_(sizes), boxes_(boxes), rank_(boxes, 0) {
    for (const Link& l : links)
      rank_[l.to] = std::max(rank_[l.to], rank_[l.from] + 1);  // from stands before to
    pull_down(links);
    up_.resize(boxes), down_.resize(boxes);
    for (const Link& l : links) chains_.push_back(chain(l));
    size_t most = rank_.empty() ? 0 : static_cast<size_t>(*std::max_element(rank_.begin(), rank_.end())) + 1;
    layers_.resize(most);
    for (size_t i = 0; i < rank_.size(); ++i) layers_[rank_[i]].push_back(i);
  }

  Layout place() {
    for (int i = 0; i < kSweeps; ++i) {
      for (size_t l = 1; l < layers_.size(); ++l) order(layers_[l], up_);
      for (size_t l = layers_.size() - 1; l-- > 0;) order(layers_[l], down_);
    }
    for (size_t l = 1; l < layers_.size(); ++l) order(layers_[l], up_);
    x_.assign(rank_.size(), 0);
    for (auto& layer : layers_) spread(layer);
    for (int i = 0; i < kSweeps; ++i) {
      for (size_t l = 1; l < layers_.size(); ++l) align(layers_[l], up_);
      for (size_t l = layers_.size() - 1; l-- > 0;) align(layers_[l], down_);
    }
    for (size_t l = 1; l < layers_.size(); ++l) align(layers_[l], up_);
    return result();
  }

 private:
  // A box to which nothing leads stands right above what it leads to; the first stands at the top.
  void pull_down(const std::vector<Link>& links) {
    for (size_t i = 1; i < boxes_; ++i) {
      int lowest = -1;
      bool led_to = false;
      for (const Link& l : links) {
        led_to = led_to || l.to == i;
        if (l.from == i) lowest = lowest < 0 ? rank_[l.to] : std::min(lowest, rank_[l.to]);
      }
      if (!led_to && lowest > 0) rank_[i] = lowest - 1;
    }
  }

  // The items of a link: its boxes, and one in each layer between.
  std::vector<size_t> chain(const Link& l) {
    std::vector<size_t> items = {l.from};
    for (int r = rank_[l.from] + 1; r < rank_[l.to]; ++r) {
      items.push_back(rank_.size());
      rank_.push_back(r);
      up_.emplace_back(), down_.emplace_back();
    }
    items.push_back(l.to);
    for (size_t i = 0; i + 1 < items.size(); ++i) {
      down_[items[i]].push_back(items[i + 1]);
      up_[items[i + 1]].push_back(items[i]);
    }
    return items;
  }

  using Neighbours = std::vector<std::vector<size_t>>;

  void number() {
    position_.assign(rank_.size(), 0);
    for (auto& layer : layers_) {
      for (size_t i = 0; i < layer.size(); ++i) position_[layer[i]] = static_cast<double>(i);
    }
  }

  void order(std::vector<size_t>& layer, const Neighbours& neighbours) {
    number();
    auto middle = [&](size_t item) {
      if (neighbours[item].empty()) return position_[item];
      double sum = 0;
      for (size_t n : neighbours[item]) sum += position_[n];
      return sum / static_cast<double>(neighbours[item].size());
    };
    std::stable_sort(layer.begin(), layer.end(), [&](size_t a, size_t b) { return middle(a) < middle(b); });
  }

  double width(size_t item) const { return item < boxes_ ? sizes_.width : sizes_.lane; }
  double apart(size_t a, size_t b) const { return (width(a) + width(b)) / 2 + sizes_.gap_x; }

  void spread(const std::vector<size_t>& layer) {
    for (size_t i = 1; i < layer.size(); ++i) x_[layer[i]] = x_[layer[i - 1]] + apart(layer[i - 1], layer[i]);
    double middle = layer.empty() ? 0 : (x_[layer.front()] + x_[layer.back()]) / 2;
    for (size_t item : layer) x_[item] -= middle;
  }

  // Where an item would stand best: in line with its neighbours; a box with other boxes.
  double wish(size_t item, const std::vector<size_t>& neighbours) const {
    auto is_box = [&](size_t n) { return n < boxes_; };
    bool boxes_only = is_box(item) && std::any_of(neighbours.begin(), neighbours.end(), is_box);
    double sum = 0, count = 0;
    for (size_t n : neighbours) {
      if (boxes_only && !is_box(n)) continue;
      sum += x_[n], ++count;
    }
    return count > 0 ? sum / count : x_[item];
  }

  double moved(const std::vector<size_t>& layer, const std::vector<double>& to,
               const std::vector<double>& wishes) const {
    double sum = 0;
    for (size_t i = 0; i < layer.size(); ++i) sum += layer[i] < boxes_ ? std::abs(to[i] - wishes[i]) : 0;
    return sum;
  }

  // Moves the items of a layer to where they wish, as far as the room allows; of making room to the right or
  // to the left what disturbs the boxes less, or half of each.
  void align(const std::vector<size_t>& layer, const Neighbours& neighbours) {
    std::vector<double> wishes;
    for (size_t item : layer) wishes.push_back(wish(item, neighbours[item]));
    std::vector<double> right = wishes, left = wishes;
    for (size_t i = 1; i < layer.size(); ++i)
      right[i] = std::max(right[i], right[i - 1] + apart(layer[i - 1], layer[i]));
    for (size_t i = layer.size() - 1; i-- > 0;)
      left[i] = std::min(left[i], left[i + 1] - apart(layer[i], layer[i + 1]));
    double cost_right = moved(layer, right, wishes), cost_left = moved(layer, left, wishes);
    double share = cost_right + 1 < cost_left ? 1 : cost_left + 1 < cost_right ? 0 : 0.5;
    for (size_t i = 0; i < layer.size(); ++i) x_[layer[i]] = share * right[i] + (1 - share) * left[i];
  }

  Layout result() const {
    Layout out;
    double low = 0, high = 0;
    for (size_t i = 0; i < x_.size(); ++i) {
      low = std::min(low, x_[i] - width(i) / 2), high = std::max(high, x_[i] + width(i) / 2);
    }
    auto point = [&](size_t item) {
      return Point{x_[item] - low, sizes_.height / 2 + rank_[item] * (sizes_.height + sizes_.gap_y)};
    };
    for (size_t i = 0; i < boxes_; ++i) out.boxes.push_back(point(i));
    for (const auto& chain : chains_) {
      std::vector<Point> points;
      for (size_t i = 0; i < chain.size(); ++i) {
        Point p = point(chain[i]);
        if (i > 0) points.push_back({p.x, p.y - sizes_.height / 2});
        if (i + 1 < chain.size()) points.push_back({p.x, p.y + sizes_.height / 2});
      }
      out.links.push_back(std::move(points));
    }
    out.width = high - low;
    out.height = static_cast<double>(layers_.size()) * (sizes_.height + sizes_.gap_y) - sizes_.gap_y;
    return out;
  }

  LayoutSizes sizes_;
  size_t boxes_;
  std::vector<int> rank_;  // of boxes, then of the places of long links
  Neighbours up_, down_;
  std::vector<std::vector<size_t>> chains_, layers_;
  std::vector<double> position_, x_;
};

}  // namespace

Layout layout(size_t boxes, const std::vector<Link>& links, const LayoutSizes& sizes) {
  if (boxes == 0) return {};
  return Layers(boxes, links, sizes).place();
}

}  // namespace espalier::view
