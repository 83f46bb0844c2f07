#include <algorithm>
#include <cmath>

#include <espalier/autograd/tensor.h>
#include <espalier/core/table.h>
#include <espalier/core/text.h>
#include <espalier/view/data_flow.h>
#include <espalier/view/quiz_kinds.h>

// Questions about the training and its results.
namespace espalier::view::quiz_kinds {
namespace {

std::string class_name(const RunData& run, int64_t c) {
  const auto& names = run.settings.classes;
  return c < std::ssize(names) ? names[c] : concat("class ", c);
}

double accuracy(const trace::Epoch& e) { return e.val_accuracy.value_or(e.train_accuracy); }
std::string percent(double share, int decimals) { return text::fixed(100 * share, decimals) + " %"; }

// Of a ReLU's input and output for one image of the batch: how many values there are, and how many negative
// ones became 0.
struct Zeroed {
  int64_t values = 0, negative = 0;
};

Zeroed zeroed_in(const Array& before, int64_t image) {
  Zeroed z;
  for (float x : Tensor(before).select(0, image).contiguous().to(float32).to_vector<float>()) {
    ++z.values;
    z.negative += x < 0;
  }
  return z;
}

}  // namespace

Questions steps(const RunData& run, Generator& random) {
  Questions out;
  if (run.history.empty()) return out;
  int64_t each = run.history[0].step, epochs = std::ssize(run.history), batch = run.settings.batch_size;
  add(out, random,
      concat("How many updates does the optimizer make in an epoch, with batches of ", batch, "?"),
      text::grouped(each),
      {text::grouped(each - 1), text::grouped(each * epochs), text::grouped(batch),
       text::grouped(each * batch), text::grouped(each + 1)},
      concat("One update a batch. The ", epochs, " epochs made ", text::grouped(run.history.back().step),
             " updates, ", text::grouped(each), " each; a last batch that is smaller counts too."));
  return out;
}

Questions best_epoch(const RunData& run, Generator& random) {
  Questions out;
  const trace::History& h = run.history;
  auto classes = std::max<int64_t>(std::ssize(run.settings.classes), 1);
  std::vector<double> gains;
  for (size_t e = 0; e < h.size(); ++e)
    gains.push_back(accuracy(h[e]) - (e == 0 ? 1.0 / static_cast<double>(classes) : accuracy(h[e - 1])));
  if (gains.empty()) return out;
  auto best = static_cast<size_t>(std::ranges::max_element(gains) - gains.begin());
  if (std::ranges::count(gains, gains[best]) > 1 || !std::isfinite(gains[best])) return out;
  std::vector<std::string> others;
  for (int64_t e : random.randperm(std::ssize(h))) {
    if (e != static_cast<int64_t>(best)) others.push_back(concat("Epoch ", e + 1));
  }
  const char* which = h[0].val_accuracy ? "validation" : "training";
  add(out, random,
      concat("In which epoch did the ", which,
             " accuracy gain most? (Before the first it is that of guessing.)"),
      concat("Epoch ", best + 1), others,
      concat("Epoch ", best + 1, " gained ", percent(gains[best], 1), ": from ",
             percent(accuracy(h[best]) - gains[best], 1), " to ", percent(accuracy(h[best]), 1), ". All ",
             h.size(), " epochs together ended at ", percent(accuracy(h.back()), 1), "."));
  return out;
}

Questions mistakes(const RunData& run, Generator& random) {
  Questions out;
  if (!run.predictions || run.predictions->classes < 3) return out;
  int64_t n = run.predictions->classes;
  auto counts = trace::confusion(*run.predictions);
  struct Pair {
    int64_t of, taken, count;
  };
  std::vector<Pair> pairs;
  for (int64_t i = 0; i < n * n; ++i) {
    if (i / n != i % n) pairs.push_back({i / n, i % n, counts[i]});
  }
  std::ranges::stable_sort(pairs, std::greater(), &Pair::count);
  const Pair& most = pairs[0];
  if (most.count == 0 || pairs[1].count == most.count) return out;
  auto say = [&](int64_t of, int64_t taken) {
    return concat(class_name(run, of), ", taken for ", class_name(run, taken));
  };
  std::vector<std::string> others = {say(most.taken, most.of)};
  for (size_t i = 1; i < pairs.size(); ++i) others.push_back(say(pairs[i].of, pairs[i].taken));
  add(out, random, "Which mistake does the model make most often with the validation images?",
      say(most.of, most.taken), others,
      concat("It took ", most.count, " images of ", class_name(run, most.of), " for ",
             class_name(run, most.taken), "; the other way round it erred ", counts[most.taken * n + most.of],
             " times."));
  return out;
}

Questions zeroed(const RunData& run, Generator& random) {
  Questions out;
  const trace::Record& r = run.samples;
  for (int64_t number : trace::stages(r)) {
    const trace::Call& call = r.calls[number];
    if ((call.kind != "ReLU" && call.kind != "relu") || call.inputs.empty()) continue;
    const auto& before = r.tensors[call.inputs[0]].values;
    if (!before || before->rank() < 2 || run.pictures.traced.empty()) continue;
    auto image = static_cast<int64_t>(random.u64() % run.pictures.traced.size());
    if (image >= before->shape[0]) continue;
    Zeroed z = zeroed_in(*before, image);
    double share = static_cast<double>(z.negative) / static_cast<double>(std::max<int64_t>(z.values, 1));
    auto rounded = [](double s) { return percent(std::clamp(s, 0.0, 1.0), 0); };
    add(out, random,
        concat("Test image ", run.pictures.traced[image], " goes through ", stage_name(call),
               ". How many of its values become 0?"),
        rounded(share),
        {rounded(1 - share), rounded(share / 2), rounded(share + 0.25), rounded(share - 0.25), rounded(0.5),
         rounded(1)},
        concat(stage_name(call), " keeps what is positive and makes the rest 0. Of the ",
               text::grouped(z.values), " values of this image ", text::grouped(z.negative),
               " were negative: ", percent(share, 1), "."));
  }
  return out;
}

}  // namespace espalier::view::quiz_kinds
