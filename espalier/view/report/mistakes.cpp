#include <algorithm>
#include <cmath>

#include <espalier/core/table.h>
#include <espalier/view/chart.h>
#include <espalier/view/pictures.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

using trace::Predictions;

constexpr int64_t kLargestMatrix = 30;  // classes
constexpr int64_t kPairs = 20, kImages = 24;

std::string percent(double share) { return text::fixed(100 * share, 1) + "\u00a0%"; }

struct Pair {
  int64_t of, taken, count;
};

// What is mistaken for what, the commonest first.
std::vector<Pair> pairs_of(const Predictions& p) {
  auto counts = trace::confusion(p);
  std::vector<Pair> out;
  for (int64_t i = 0; i < std::ssize(counts); ++i) {
    if (i / p.classes != i % p.classes && counts[i] > 0)
      out.push_back({i / p.classes, i % p.classes, counts[i]});
  }
  std::ranges::stable_sort(out, std::greater(), &Pair::count);
  return out;
}

std::string finding(const RunData& run, const Predictions& p, const std::vector<Pair>& pairs) {
  int64_t wrong = 0;
  for (int64_t i = 0; i < p.size(); ++i) wrong += p.wrong(i);
  if (wrong == 0) return concat("All ", text::grouped(p.size()), " images of the validation data are right.");
  const Pair& most = pairs[0];
  return concat(text::grouped(wrong), " of ", text::grouped(p.size()), " images are wrong (",
                percent(static_cast<double>(wrong) / static_cast<double>(p.size())), "); most often ",
                class_name(run, most.of), " is taken for ", class_name(run, most.taken), ", ", most.count,
                " times.");
}

// Ten steps of colour; a mistake has another one than what is right.
std::string heat(int64_t count, int64_t most, bool right) {
  if (count == 0 || most == 0) return "heat";
  auto step = std::clamp<int64_t>(
      std::lround(9 * std::sqrt(static_cast<double>(count) / static_cast<double>(most))), 1, 9);
  return concat("heat ", right ? "right-" : "wrong-", step);
}

Html matrix(const RunData& run, const Predictions& p) {
  auto counts = trace::confusion(p);
  int64_t n = p.classes, most_right = 0, most_wrong = 0;
  for (int64_t i = 0; i < n * n; ++i) {
    int64_t& most = i / n == i % n ? most_right : most_wrong;
    most = std::max(most, counts[i]);
  }
  Html head = tag("th", {{"scope", "col"}}, "is \\ taken for");
  for (int64_t c = 0; c < n; ++c)
    head += tag("th", {{"scope", "col"}, {"class", "number"}}, class_name(run, c));
  Html body;
  for (int64_t r = 0; r < n; ++r) {
    Html row = tag("th", {{"scope", "row"}}, class_name(run, r));
    for (int64_t c = 0; c < n; ++c) {
      int64_t count = counts[r * n + c];
      row += tag("td", {{"class", concat("number ", heat(count, r == c ? most_right : most_wrong, r == c))}},
                 count);
    }
    body += tag("tr", {}, row);
  }
  return tag("div",
             {{"class", "wide"}, {"tabindex", 0}, {"role", "region"}, {"aria-label", "Confusion matrix"}},
             tag("table", {{"class", "matrix"}, {"id", "confusion"}},
                 tag("caption", {},
                     "A row for what an image is, a column for what it was taken for. Mistakes are "
                     "shaded in another colour than what is right."),
                 tag("thead", {}, tag("tr", {}, head)), tag("tbody", {}, body)));
}

Html pairs_table(const RunData& run, const std::vector<Pair>& pairs) {
  std::vector<std::vector<Html>> rows;
  for (const Pair& pair : pairs) {
    if (std::ssize(rows) < kPairs)
      rows.push_back({class_name(run, pair.of), class_name(run, pair.taken), pair.count});
  }
  return table({"is", "taken for", "times"}, rows, {.caption = "The commonest mistakes", .numbers = {2}});
}

Html classes_table(const RunData& run, const Predictions& p) {
  std::vector<std::vector<Html>> rows;
  auto figures = trace::class_figures(p);
  for (int64_t c = 0; c < p.classes; ++c) {
    const auto& f = figures[c];
    double f1 = f.precision + f.recall > 0 ? 2 * f.precision * f.recall / (f.precision + f.recall) : 0;
    rows.push_back({class_name(run, c), text::grouped(f.images), percent(f.precision), percent(f.recall),
                    text::fixed(f1, 3)});
  }
  return table(
      {"class", "images", "precision", "recall", "F1"}, rows,
      {.caption = "Precision: how many of those taken for the class are of it. Recall: how many of the "
                  "class were found. F1: the harmonic mean of both.",
       .numbers = {1, 2, 3, 4}});
}

Html images(const RunData& run, const Predictions& p) {
  Html list;
  for (int64_t i : trace::confident_mistakes(p, kImages)) {
    int64_t at = run.pictures.find(i);
    if (at < 0) continue;
    std::string is = class_name(run, p.label[i]), taken = class_name(run, p.best(i));
    list += tag("li", {},
                picture_of(run.pictures.images, at, concat("Image ", i, ": ", is, ", taken for ", taken)),
                tag("span", {}, taken, " ", tag("span", {{"class", "number"}}, percent(p.confidence(i)))),
                tag("span", {{"class", "muted"}}, concat("is ", is, ", given ", percent(p.right[i]))));
  }
  if (list.empty()) return {};
  Html out = tag("h3", {}, "Wrong, and most sure of it");
  out += tag("ol", {{"class", "gallery"}}, list);
  return out;
}

}  // namespace

Html mistakes_view(const RunData& run) {
  if (!run.predictions || run.predictions->size() == 0)
    return nothing_kept(
        "This run kept no predictions: it had no validation data, or has not ended its first epoch.");
  const Predictions& p = *run.predictions;
  auto pairs = pairs_of(p);
  Html out = tag("p", {{"class", "finding"}}, finding(run, p, pairs));
  if (p.classes <= kLargestMatrix) out += matrix(run, p);
  if (!pairs.empty() && p.classes > 2) out += pairs_table(run, pairs);
  out += images(run, p);
  out += tag("h3", {}, "By class");
  out += classes_table(run, p);
  return out;
}

}  // namespace espalier::view
