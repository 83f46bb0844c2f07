#include <algorithm>
#include <cmath>
#include <map>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/chart_frame.h>

namespace espalier::view {

using namespace frame;

namespace {

constexpr size_t kMostMarked = 30;  // points that have a marker each
constexpr size_t kPiece = 25;       // points of a line that grows: a browser draws no more of it than changes

class Plot {
 public:
  explicit Plot(const LineChart& chart) : chart_(chart) {
    double low_x = INFINITY, high_x = -INFINITY, low_y = INFINITY, high_y = -INFINITY;
    for (const Series& s : chart.series) {
      for (size_t i = 0; i < s.x.size(); ++i) {
        if (!shown(s.y[i])) continue;
        low_x = std::min(low_x, s.x[i]), high_x = std::max(high_x, s.x[i]);
        low_y = std::min(low_y, height(s.y[i])), high_y = std::max(high_y, height(s.y[i]));
      }
    }
    if (low_x > high_x) low_x = 0, high_x = 1, low_y = 0, high_y = 1;
    if (chart.from_zero) low_y = std::min(low_y, 0.0);
    if (chart.from_zero && high_y <= low_y) high_y = low_y + 1;
    x_ = Scale::over(low_x, high_x);
    if (chart.whole_x && x_.step < 1) x_.step = 1;
    if (chart.whole_x) x_.low = low_x;
    if (chart.whole_x) x_.high = std::max(chart.grows ? x_.high : high_x, low_x + 1);
    y_ = Scale::over(low_y, high_y);
    if (chart.log_y) {
      double low = std::floor(low_y), high = std::max(std::ceil(high_y), low + 1);
      y_ = {low, high, std::ceil((high - low) / 6)};
    }
  }

  Html axes() const {
    Html out;
    for (double v : y_.ticks()) {
      double at = kTop + kPlotHeight * (1 - y_.place(v));
      out += line(kLeft, at, kWidth - kRight, at, "grid");
      out += words(kLeft - 8, at + 4, "end", label_y(v));
    }
    for (double v : x_.ticks()) {
      double at = kLeft + kPlotWidth * x_.place(v);
      out += line(at, kHeight - kBottom, at, kHeight - kBottom + 4, "tick");
      out += words(at, kHeight - kBottom + 18, "middle", tick(v, x_.step));
    }
    out += words(kLeft + kPlotWidth / 2, kHeight - 6, "middle", chart_.x_label);
    return out;
  }

  Html series(size_t number) const {
    const Series& s = chart_.series[number];
    bool marked = s.x.size() <= kMostMarked;
    size_t most = chart_.grows && is_solid(number) ? kPiece : s.x.size();  // dashes would begin anew
    Html strokes, markers;
    for (size_t begin = 0; begin < s.x.size(); begin += most)
      strokes += stroke(s, begin, std::min(begin + most + 1, s.x.size()));
    for (size_t i = 0; marked && i < s.x.size(); ++i) {
      if (shown(s.y[i])) markers += marker(number, x_of(s.x[i]), y_of(s.y[i]));
    }
    return tag("g", {{"class", concat("series series-", number + 1)}}, strokes, markers);
  }

  static Html marker(size_t number, double x, double y) {
    switch (number) {
      case 0: return tag("circle", {{"class", "mark"}, {"cx", px(x)}, {"cy", px(y)}, {"r", 3.5}});
      case 1:
        return tag(
            "rect",
            {{"class", "mark"}, {"x", px(x - 3.2)}, {"y", px(y - 3.2)}, {"width", 6.4}, {"height", 6.4}});
      case 2: return tag("path", {{"class", "mark"}, {"d", concat("M", px(x), " ", px(y - 4), "l4 7h-8z")}});
      default:
        return tag("path", {{"class", "mark"},
                            {"d", concat("M", px(x), " ", px(y - 4.5), "l4.5 4.5l-4.5 4.5l-4.5 -4.5z")}});
    }
  }

 private:
  // A line of these points, with gaps.
  Html stroke(const Series& s, size_t begin, size_t end) const {
    std::string path;
    bool open = false;
    for (size_t i = begin; i < end; ++i) {
      bool there = shown(s.y[i]);
      if (there) path += concat(open ? "L" : "M", px(x_of(s.x[i])), " ", px(y_of(s.y[i])));
      open = there;
    }
    return tag("path", {{"class", "stroke"}, {"d", path}});
  }

  static bool is_solid(size_t number) { return number == 0; }  // the style sheet has dashes for the others
  double x_of(double x) const { return kLeft + kPlotWidth * x_.place(x); }
  double y_of(double y) const { return kTop + kPlotHeight * (1 - y_.place(height(y))); }
  bool shown(double y) const { return std::isfinite(y) && (!chart_.log_y || y > 0); }
  double height(double y) const { return chart_.log_y ? std::log10(y) : y; }
  std::string label_y(double v) const { return chart_.log_y ? number(std::pow(10, v), 1) : tick(v, y_.step); }
  static std::string tick(double v, double step) {
    if (std::abs(v) < step * 1e-6) return "0";
    int decimals = std::clamp(static_cast<int>(-std::floor(std::log10(step) + 1e-9)), 0, 12);
    if (decimals > 4) return number(v, 2);
    return decimals == 0 ? text::grouped(std::llround(v)) : text::fixed(v, decimals);
  }

  const LineChart& chart_;
  Scale x_, y_;
};

Html legend(const LineChart& chart) {
  Html out;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    Html sample = tag("svg", {{"viewBox", "0 0 34 12"}, {"class", "sample"}, {"aria-hidden", "true"}},
                      tag("g", {{"class", concat("series series-", i + 1)}},
                          tag("path", {{"class", "stroke"}, {"d", "M1 6H33"}}), Plot::marker(i, 17, 6)));
    out += tag("li", {}, sample, chart.series[i].name);
  }
  return tag("ul", {{"class", "legend"}}, out);
}

// "Training: from 0.41 (1) to 0.18 (5), lowest 0.18 (5). …"
std::string in_words(const LineChart& chart) {
  std::string out;
  for (const Series& s : chart.series) {
    if (s.x.empty()) continue;
    auto low = std::min_element(s.y.begin(), s.y.end()), high = std::max_element(s.y.begin(), s.y.end());
    auto at = [&](auto where) {
      auto i = static_cast<size_t>(where - s.y.begin());
      return concat(number(s.y[i]), " at ", chart.x_label, " ", number(s.x[i]));
    };
    out += concat(s.name, ": from ", at(s.y.begin()), " to ", at(s.y.end() - 1), ", lowest ", at(low),
                  ", highest ", at(high), ". ");
  }
  return out;
}

Html chart_table(const LineChart& chart) {
  std::map<double, std::vector<Html>> rows;
  std::vector<Html> head = {chart.x_label};
  for (size_t s = 0; s < chart.series.size(); ++s) {
    head.push_back(chart.series[s].name);
    for (size_t i = 0; i < chart.series[s].x.size(); ++i) {
      auto& row = rows[chart.series[s].x[i]];
      row.resize(chart.series.size() + 1, Html("–"));
      row[0] = number(chart.series[s].x[i]);
      row[s + 1] = number(chart.series[s].y[i], 4);
    }
  }
  std::vector<std::vector<Html>> cells;
  for (auto& [x, row] : rows) cells.push_back(std::move(row));
  std::vector<size_t> numbers(head.size());
  for (size_t i = 0; i < numbers.size(); ++i) numbers[i] = i;
  return figures(head, cells, {.caption = chart.title, .numbers = numbers});
}

}  // namespace

Html line_chart(const LineChart& chart) {
  Plot plot(chart);
  Html drawing = plot.axes();
  for (size_t i = 0; i < chart.series.size(); ++i) drawing += plot.series(i);
  return tag("figure", {{"id", chart.id}},
             tag("figcaption", {}, chart.title,
                 chart.y_label.empty() ? Html() : tag("span", {{"class", "muted"}}, ", ", chart.y_label)),
             chart.series.size() > 1 ? legend(chart) : Html(),
             frame::drawing(chart.id, chart.title, in_words(chart), drawing), chart_table(chart));
}

}  // namespace espalier::view
