#pragma once

#include <optional>
#include <string>
#include <vector>

#include <espalier/trace/record.h>
#include <espalier/view/html.h>

// Charts as SVG, from plain data. Each has a title, a description in words for those who don't see it, and
// its figures in a table behind it. Colours come from the page's style sheet.
namespace espalier::view {

// A number with about `digits` significant digits, as short as it goes: "0.0123", "1.2e-07", "15,360".
std::string number(double value, int digits = 3);
// A coordinate, rounded to a tenth.
std::string px(double value);

// Rows of a table that scrolls sideways on narrow screens; the first row is the head. `numbers` names the
// columns that are set to the right. `heads` says that the first cell of a row names it.
struct TableOptions {
  std::string caption = {};
  std::vector<size_t> numbers = {};
  bool heads = true;
  bool sum = false;  // the last row is the sum of the others
};
Html table(const std::vector<Html>& head, const std::vector<std::vector<Html>>& rows,
           const TableOptions& options = {});
// The same, folded away below a chart.
Html figures(const std::vector<Html>& head, const std::vector<std::vector<Html>>& rows,
             const TableOptions& options = {});

// Ends of an axis and the places of its labels.
struct Scale {
  double low = 0, high = 1, step = 1;
  static Scale over(double low, double high, int most = 5);
  // Places of labels, not many.
  std::vector<double> ticks() const;
  double place(double value) const { return high > low ? (value - low) / (high - low) : 0.5; }
};

struct Series {
  std::string name;
  std::vector<double> x, y;  // values that are not finite leave a gap
};

struct LineChart {
  std::string id;  // unlike any other in the page
  std::string title;
  std::string x_label, y_label = {};
  std::vector<Series> series = {};  // four at most
  bool log_y = false;               // then values of 0 and less leave gaps
  bool from_zero = false;           // the y axis begins at 0
  bool whole_x = true;              // x counts something: epochs, steps
  bool grows = false;               // the x axis ends at a label, so that it stays as it is when points come
};
Html line_chart(const LineChart& chart);

// Bars of shares (0 to 1) one behind the other in one row, for the cell of a table that has the numbers.
Html bar(const std::vector<double>& shares);

// The distribution of values; `before` is drawn as a dashed outline over it.
struct HistogramChart {
  std::string id, title;
  trace::Stats now;
  std::optional<trace::Stats> before = {};
};
Html histogram(const HistogramChart& chart);
// A small one without axes; `label` says in words what it shows.
Html small_histogram(const trace::Stats& stats, const std::string& label);

}  // namespace espalier::view
