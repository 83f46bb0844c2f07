#include <algorithm>
#include <cmath>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/chart_frame.h>

namespace espalier::view {

using namespace frame;

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
  for (double v : x.ticks()) {
    double at = kLeft + kPlotWidth * x.place(v);
    drawing += line(at, kHeight - kBottom, at, kHeight - kBottom + 4, "tick");
    bool last = at > kWidth - kRight - 1;  // has no room beside it
    drawing += words(last ? kWidth : at, kHeight - kBottom + 18, last ? "end" : "middle",
                     std::abs(v) < x.step / 1e6 ? "0" : number(v, 2));
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
             frame::drawing(chart.id, chart.title, description, drawing),
             figures({"from", "to", "values"}, rows, {.caption = chart.title, .numbers = {0, 1, 2}}));
}

Html small_histogram(const trace::Stats& s, const std::string& label) {
  std::string path = outline(s, Scale{s.min, s.max, 1}, std::max(highest(s), 1e-300), 0, 0, 120, 28);
  return tag("svg", {{"class", "spark"}, {"viewBox", "0 0 120 28"}, {"role", "img"}, {"aria-label", label}},
             tag("path", {{"class", "area"}, {"d", path}}));
}

}  // namespace espalier::view
