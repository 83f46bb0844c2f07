#include <espalier/view/chart.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>

#include <espalier/core/table.h>

namespace espalier::view {

std::string number(double value, int digits) {
  if (!std::isfinite(value)) return std::isnan(value) ? "not a number" : value > 0 ? "∞" : "−∞";
  double size = std::abs(value);
  if (value == 0) return "0";
  if (size >= 1000 && size < 1e15) return text::grouped(std::llround(value));
  char out[32];
  if (size < 1e-4 || size >= 1e15) std::snprintf(out, sizeof out, "%.*e", digits - 1, value);
  else
    std::snprintf(out, sizeof out, "%.*f",
                  std::max(0, digits - 1 - static_cast<int>(std::floor(std::log10(size)))), value);
  return out;
}

std::string px(double value) {
  char out[32];
  int n = std::snprintf(out, sizeof out, "%.1f", value);
  if (n > 2 && out[n - 1] == '0') out[n - 2] = '\0';
  return out;
}

Html table(const std::vector<Html>& head, const std::vector<std::vector<Html>>& rows, const TableOptions& o) {
  auto is_number = [&](size_t i) { return std::count(o.numbers.begin(), o.numbers.end(), i) > 0; };
  Html top, body;
  for (size_t i = 0; i < head.size(); ++i)
    top += tag("th", {{"scope", "col"}, {"class", is_number(i) ? "number" : "text"}}, head[i]);
  for (const auto& row : rows) {
    Html cells;
    for (size_t i = 0; i < row.size(); ++i) {
      const char* kind = is_number(i) ? "number" : "text";
      cells += i == 0 && o.heads ? tag("th", {{"scope", "row"}, {"class", kind}}, row[i])
                                 : tag("td", {{"class", kind}}, row[i]);
    }
    body += tag("tr", {{"class", o.sum && &row == &rows.back() ? "sum" : "row"}}, cells);
  }
  Html caption = o.caption.empty() ? Html() : tag("caption", {}, o.caption);
  return tag("div",
             {{"class", "wide"},
              {"tabindex", 0},
              {"role", "group"},
              {"aria-label", o.caption.empty() ? "Table" : o.caption}},
             tag("table", {}, caption, tag("thead", {}, tag("tr", {}, top)), tag("tbody", {}, body)));
}

Html figures(const std::vector<Html>& head, const std::vector<std::vector<Html>>& rows,
             const TableOptions& o) {
  return tag("details", {{"class", "figures"}}, tag("summary", {}, "Figures as a table"),
             table(head, rows, o));
}

Scale Scale::over(double low, double high, int most) {
  if (!(high > low)) {
    double half = low == 0 ? 1 : std::abs(low) / 2;
    low -= half, high += half;
  }
  double rough = (high - low) / most, power = std::pow(10, std::floor(std::log10(rough)));
  double step = power * 10;
  for (double nice : {1.0, 2.0, 5.0}) {
    if (nice * power >= rough * 0.999) {
      step = nice * power;
      break;
    }
  }
  return {std::floor(low / step + 1e-9) * step, std::ceil(high / step - 1e-9) * step, step};
}

namespace {

// The drawing's size and the frame of its axes.
constexpr double kWidth = 460, kHeight = 260, kLeft = 58, kRight = 14, kTop = 14, kBottom = 44;
constexpr double kPlotWidth = kWidth - kLeft - kRight, kPlotHeight = kHeight - kTop - kBottom;

Html line(double x1, double y1, double x2, double y2, const char* style) {
  return tag("line", {{"x1", px(x1)}, {"y1", px(y1)}, {"x2", px(x2)}, {"y2", px(y2)}, {"class", style}});
}

Html words(double x, double y, const char* anchor, const std::string& text) {
  return tag("text", {{"x", px(x)}, {"y", px(y)}, {"text-anchor", anchor}}, text);
}

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
    x_ = Scale::over(low_x, high_x);
    if (chart.whole_x && x_.step < 1) x_.step = 1;
    if (chart.whole_x) x_.low = low_x, x_.high = std::max(high_x, low_x + 1);
    y_ = chart.log_y ? Scale{std::floor(low_y), std::max(std::ceil(high_y), std::floor(low_y) + 1), 1}
                     : Scale::over(low_y, high_y);
  }

  Html axes() const {
    Html out;
    double every = chart_.log_y ? std::ceil((y_.high - y_.low) / 6) : y_.step;
    for (double v = y_.low; v <= y_.high + every / 2; v += every) {
      double at = kTop + kPlotHeight * (1 - y_.place(v));
      out += line(kLeft, at, kWidth - kRight, at, "grid");
      out += words(kLeft - 8, at + 4, "end", label_y(v));
    }
    for (double v = std::ceil(x_.low / x_.step - 1e-9) * x_.step; v <= x_.high + 1e-9 * x_.step;
         v += x_.step) {
      double at = kLeft + kPlotWidth * x_.place(v);
      out += line(at, kHeight - kBottom, at, kHeight - kBottom + 4, "tick");
      out += words(at, kHeight - kBottom + 18, "middle", tick(v, x_.step));
    }
    out += words(kLeft + kPlotWidth / 2, kHeight - 6, "middle", chart_.x_label);
    return out;
  }

  Html series(size_t number) const {
    const Series& s = chart_.series[number];
    std::string path;
    Html markers;
    bool marked = s.x.size() <= 30, open = false;
    for (size_t i = 0; i < s.x.size(); ++i) {
      if (!shown(s.y[i])) {
        open = false;
        continue;
      }
      double x = kLeft + kPlotWidth * x_.place(s.x[i]),
             y = kTop + kPlotHeight * (1 - y_.place(height(s.y[i])));
      path += concat(open ? "L" : "M", px(x), " ", px(y));
      if (marked) markers += marker(number, x, y);
      open = true;
    }
    return tag("g", {{"class", concat("series series-", number + 1)}},
               tag("path", {{"class", "stroke"}, {"d", path}}), markers);
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

Html svg(const std::string& id, const std::string& title, const std::string& description,
         const Html& content) {
  return tag("svg",
             {{"viewBox", concat("0 0 ", kWidth, " ", kHeight)},
              {"class", "chart"},
              {"role", "img"},
              {"aria-labelledby", concat(id, "-title ", id, "-desc")}},
             tag("title", {{"id", id + "-title"}}, title), tag("desc", {{"id", id + "-desc"}}, description),
             content);
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
             svg(chart.id, chart.title, in_words(chart), drawing), chart_table(chart));
}

Html bar(const std::vector<double>& shares) {
  Html parts;
  double at = 0;
  for (size_t i = 0; i < shares.size(); ++i) {
    double width = 100 * std::clamp(shares[i], 0.0, 1.0);
    parts += tag(
        "rect",
        {{"class", concat("fill-", i + 1)}, {"x", px(at)}, {"y", 0}, {"width", px(width)}, {"height", 10}});
    at += width;
  }
  return tag(
      "svg",
      {{"class", "bar"}, {"viewBox", "0 0 100 10"}, {"preserveAspectRatio", "none"}, {"aria-hidden", "true"}},
      parts);
}

namespace {

// The outline of a histogram over [low, high], `width` × `height`, its highest bin at `most` (a density).
std::string outline(const trace::Stats& s, const Scale& x, double most, double left, double top, double width,
                    double height) {
  double total = 0, bin = (s.max - s.min) / trace::Stats::kBins;
  for (int64_t n : s.histogram) total += static_cast<double>(n);
  if (!(bin > 0) || total == 0) return "";
  auto place = [&](double v) { return px(left + width * x.place(v)); };
  std::string path = concat("M", place(s.min), " ", px(top + height));
  for (int i = 0; i < trace::Stats::kBins; ++i) {
    double density = static_cast<double>(s.histogram[i]) / total / bin;
    path += concat("V", px(top + height * (1 - density / most)), "H", place(s.min + bin * (i + 1)));
  }
  return concat(path, "V", px(top + height));
}

double highest(const trace::Stats& s) {
  double total = 0, most = 0, bin = (s.max - s.min) / trace::Stats::kBins;
  for (int64_t n : s.histogram)
    total += static_cast<double>(n), most = std::max(most, static_cast<double>(n));
  return bin > 0 && total > 0 ? most / total / bin : 0;
}

std::string in_words(const trace::Stats& s) {
  return concat("from ", number(s.min), " to ", number(s.max), ", mean ", number(s.mean), ", spread ",
                number(s.std));
}

}  // namespace

Html histogram(const HistogramChart& chart) {
  const trace::Stats& now = chart.now;
  double low = now.min, high = now.max, most = highest(now);
  if (chart.before) {
    low = std::min(low, chart.before->min), high = std::max(high, chart.before->max);
    most = std::max(most, highest(*chart.before));
  }
  Scale x = Scale::over(low, high, 4);
  Html drawing;
  for (double v = x.low; v <= x.high + x.step / 2; v += x.step) {
    double at = kLeft + kPlotWidth * x.place(v);
    drawing += line(at, kHeight - kBottom, at, kHeight - kBottom + 4, "tick");
    drawing += words(at, kHeight - kBottom + 18, "middle", std::abs(v) < x.step / 1e6 ? "0" : number(v, 2));
  }
  drawing += line(kLeft, kHeight - kBottom, kWidth - kRight, kHeight - kBottom, "tick");
  if (most > 0) {
    drawing +=
        tag("path", {{"class", "area"}, {"d", outline(now, x, most, kLeft, kTop, kPlotWidth, kPlotHeight)}});
    if (chart.before)
      drawing += tag("path", {{"class", "before"},
                              {"d", outline(*chart.before, x, most, kLeft, kTop, kPlotWidth, kPlotHeight)}});
  }
  std::string description = concat("Values ", in_words(now), ".");
  if (chart.before) description += concat(" Before the training (dashed): ", in_words(*chart.before), ".");
  std::vector<std::vector<Html>> rows;
  double bin = (now.max - now.min) / trace::Stats::kBins;
  for (int i = 0; i < trace::Stats::kBins; ++i)
    rows.push_back(
        {number(now.min + bin * i), number(now.min + bin * (i + 1)), text::grouped(now.histogram[i])});
  return tag("figure", {{"id", chart.id}},
             tag("figcaption", {}, chart.title,
                 tag("span", {{"class", "muted"}}, chart.before ? ", dashed before the training" : "")),
             svg(chart.id, chart.title, description, drawing),
             figures({"from", "to", "values"}, rows, {.caption = chart.title, .numbers = {0, 1, 2}}));
}

Html small_histogram(const trace::Stats& s, const std::string& label) {
  std::string path = outline(s, Scale{s.min, s.max, 1}, std::max(highest(s), 1e-300), 0, 0, 120, 28);
  return tag("svg", {{"class", "spark"}, {"viewBox", "0 0 120 28"}, {"role", "img"}, {"aria-label", label}},
             tag("path", {{"class", "area"}, {"d", path}}));
}

}  // namespace espalier::view
