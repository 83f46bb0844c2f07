#include <espalier/view/training_trace.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include <espalier/core/table.h>
#include <espalier/core/text.h>

namespace espalier::view {
namespace {

constexpr size_t kBar = 40;

// Epochs in a row, up to `at`, in which the validation loss rose.
int rises(const trace::History& h, size_t at) {
  int n = 0;
  while (at > 0 && h[at].val_loss && h[at - 1].val_loss && *h[at].val_loss > *h[at - 1].val_loss) ++n, --at;
  return n;
}

const char* ordinal(int n) {
  static constexpr const char* kNames[] = {"first", "second", "third", "fourth", "fifth"};
  return n <= 5 ? kNames[n - 1] : "next";
}

std::string percent(double share) { return text::fixed(100 * share, share < 0.1 ? 1 : 0) + " %"; }

std::string against_guessing(double loss, int64_t classes) {
  double guessing = std::log(static_cast<double>(std::max<int64_t>(classes, 2)));
  std::string reference = concat("guessing (", text::fixed(guessing, 2), ")");
  if (loss < 0.5 * guessing) return "far below " + reference + "; learning fast";
  if (loss < 0.95 * guessing) return "below " + reference + "; it learns";
  return "no better than " + reference;
}

std::string fall(double share) {
  if (share >= 0.45) return "loss fell by half or more; still learning fast";
  if (share >= 0.29) return "loss fell by a third; still learning fast";
  if (share >= 0.20) return "loss fell by a quarter; still learning fast";
  if (share >= 0.05) return concat("loss fell by ", percent(share), "; still learning");
  if (share >= 0.01) return concat("loss fell by ", percent(share), "; slowing down");
  return "loss hardly moved: a plateau";
}

std::string optional(const std::optional<double>& value, int decimals) {
  return value ? text::fixed(*value, decimals) : "-";
}

std::string columns(const std::vector<std::string>& cells) {
  static constexpr size_t kWidths[] = {9, 10, 8, 8, 8, 8};
  std::string line = " ";
  for (size_t i = 0; i + 1 < cells.size(); ++i) line += " " + text::pad_left(cells[i], kWidths[i]);
  return line + "  " + cells.back() + "\n";
}

}  // namespace

std::string observation(const trace::History& h, size_t at, int64_t classes) {
  const trace::Epoch& now = h[at];
  if (!std::isfinite(now.train_loss))
    return "the loss is not a number: diverged; try a smaller learning rate";
  if (at == 0) return against_guessing(now.train_loss, classes);
  double share = 1 - now.train_loss / h[at - 1].train_loss;
  int risen = rises(h, at);
  if (risen > 1) return concat("validation loss rose for the ", ordinal(risen), " time: overfitting");
  if (risen == 1 && share > 0)
    return "validation loss rose while training loss fell: a first sign of overfitting";
  if (share < 0) return concat("training loss rose by ", percent(-share));
  return fall(share);
}

namespace {

double counting_loss(const trace::Epoch& e) { return e.val_loss.value_or(e.train_loss); }

// The first epoch after which the loss moved by less than 1 % from each to the next.
size_t begin_of_plateau(const trace::History& h) {
  size_t at = h.size() - 1;
  while (at > 0 &&
         std::abs(counting_loss(h[at]) - counting_loss(h[at - 1])) < 0.01 * counting_loss(h[at - 1]))
    --at;
  return at;
}

std::string overfitting(const trace::Epoch& best, const trace::Epoch& last) {
  return concat("Overfitting since epoch ", best.epoch + 1, ": the validation loss was lowest after epoch ",
                best.epoch, " (", text::fixed(*best.val_loss, 4), ") and has risen by ",
                percent(*last.val_loss / *best.val_loss - 1), " since, while the training loss went from ",
                text::fixed(best.train_loss, 4), " to ", text::fixed(last.train_loss, 4), ".");
}

std::string learning(const trace::History& h) {
  const trace::Epoch& last = h.back();
  std::string name = last.val_loss ? "validation loss" : "training loss";
  if (h.size() == 1)
    return concat("One epoch: the ", name, " stands at ", text::fixed(counting_loss(last), 4), ".");
  double share = 1 - counting_loss(last) / counting_loss(h[h.size() - 2]);
  if (share < 0)
    return concat("Unsteady: the ", name, " rose by ", percent(-share), " in the last epoch, to ",
                  text::fixed(counting_loss(last), 4), ".");
  return concat("Still learning: the ", name, " fell by ", percent(share), " in the last epoch, to ",
                text::fixed(counting_loss(last), 4), "; more epochs may help.");
}

}  // namespace

std::string verdict(const trace::History& h) {
  if (h.empty()) return "No epoch is finished yet.";
  for (const trace::Epoch& e : h) {
    if (!std::isfinite(e.train_loss) || !std::isfinite(counting_loss(e)))
      return concat("The training diverged in epoch ", e.epoch,
                    ": its loss is not a number. Try a smaller learning rate.");
  }
  const trace::Epoch& last = h.back();
  const trace::Epoch* best = &last;
  for (const trace::Epoch& e : h) {
    if (e.val_loss && best->val_loss && *e.val_loss < *best->val_loss) best = &e;
  }
  if (last.val_loss && *last.val_loss > 1.02 * *best->val_loss) return overfitting(*best, last);
  size_t plateau = begin_of_plateau(h), least = std::max<size_t>(2, h.size() / 4);
  if (h.size() - 1 - plateau >= least) {
    return concat("A plateau since epoch ", h[plateau].epoch, ": the ",
                  last.val_loss ? "validation" : "training", " loss stays near ",
                  text::fixed(counting_loss(last), 4), ".");
  }
  return learning(h);
}

std::string training_head() {
  return columns({"epoch", "loss", "accuracy", "val loss", "val acc", "seconds", "what it says"});
}

std::string training_line(const trace::History& h, size_t at, int64_t epochs, int64_t classes) {
  const trace::Epoch& e = h[at];
  return columns({concat(e.epoch, "/", epochs), text::fixed(e.train_loss, 4),
                  text::fixed(e.train_accuracy, 3), optional(e.val_loss, 4), optional(e.val_accuracy, 3),
                  text::fixed(e.seconds, 1), observation(h, at, classes)});
}

std::string loss_chart(const trace::History& h) {
  double most = 0;
  for (const trace::Epoch& e : h) most = std::max({most, e.train_loss, e.val_loss.value_or(0)});
  auto row = [&](const std::string& label, double loss) {
    return concat("  ", text::pad_left(label, 12), "  ", text::fixed(loss, 4), "  ",
                  text::bar(most > 0 ? loss / most : 0, kBar), "\n");
  };
  std::string out;
  for (const trace::Epoch& e : h) {
    out += row(concat("epoch ", e.epoch), e.train_loss);
    if (e.val_loss) out += row("validation", *e.val_loss);
  }
  return out;
}

std::string probability_chart(const std::vector<double>& p, const std::vector<std::string>& classes,
                              size_t most) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return p[a] > p[b]; });
  order.resize(std::min(most, order.size()));
  auto label = [&](size_t i) { return i < classes.size() ? classes[i] : concat("class ", i); };
  size_t longest = 0;
  for (size_t i : order) longest = std::max(longest, text::width(label(i)));
  std::string out;
  for (size_t i : order) {
    out += concat("  ", text::pad_right(label(i), longest), "  ",
                  text::pad_left(text::fixed(100 * p[i], 1), 5), " %  ", text::bar(p[i], kBar), "\n");
  }
  return out;
}

}  // namespace espalier::view
