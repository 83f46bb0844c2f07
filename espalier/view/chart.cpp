#include <espalier/view/chart.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include <espalier/core/table.h>
#include <espalier/view/chart_frame.h>

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

constexpr size_t kManyColumns = 8;

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
             tag("table", {{"class", head.size() > kManyColumns ? "dense" : "airy"}}, caption,
                 tag("thead", {}, tag("tr", {}, top)), tag("tbody", {}, body)));
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

std::vector<double> Scale::ticks() const {
  std::vector<double> out;
  double first = std::ceil(low / step - 1e-9), last = std::floor(high / step + 1e-9);
  if (!std::isfinite(first) || !std::isfinite(last) || last - first > 100) return {low, high};
  for (int i = 0; i <= static_cast<int>(last - first); ++i) out.push_back((first + i) * step);
  return out;
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

namespace frame {

Html line(double x1, double y1, double x2, double y2, const char* style) {
  return tag("line", {{"x1", px(x1)}, {"y1", px(y1)}, {"x2", px(x2)}, {"y2", px(y2)}, {"class", style}});
}

Html words(double x, double y, const char* anchor, const std::string& text) {
  return tag("text", {{"x", px(x)}, {"y", px(y)}, {"text-anchor", anchor}}, text);
}

Html drawing(const std::string& id, const std::string& title, const std::string& description,
             const Html& content) {
  return tag("svg",
             {{"viewBox", concat("0 0 ", kWidth, " ", kHeight)},
              {"class", "chart"},
              {"role", "img"},
              {"aria-labelledby", concat(id, "-title ", id, "-desc")}},
             tag("title", {{"id", id + "-title"}}, title), tag("desc", {{"id", id + "-desc"}}, description),
             content);
}

}  // namespace frame

}  // namespace espalier::view
