#include <espalier/view/quiz.h>

#include <algorithm>

#include <espalier/view/quiz_kinds.h>

namespace espalier::view {
namespace {

template <class T>
void shuffle(std::vector<T>& list, Generator& random) {
  std::vector<T> out;
  for (int64_t i : random.randperm(std::ssize(list))) out.push_back(std::move(list[i]));
  list = std::move(out);
}

}  // namespace

namespace quiz_kinds {

void add(Questions& out, Generator& random, std::string text, const std::string& right,
         const std::vector<std::string>& wrong, std::string explanation) {
  std::vector<std::string> choices = {right};
  for (const std::string& w : wrong) {
    if (choices.size() < 4 && std::ranges::find(choices, w) == choices.end()) choices.push_back(w);
  }
  if (choices.size() < 4) return;
  shuffle(choices, random);
  auto place = std::ranges::find(choices, right) - choices.begin();
  out.push_back({std::move(text), std::move(choices), static_cast<size_t>(place), std::move(explanation)});
}

}  // namespace quiz_kinds

std::vector<Question> quiz(const RunData& run, size_t count, uint64_t seed) {
  using namespace quiz_kinds;
  Generator random(seed);
  std::vector<Questions> kinds;
  for (Kind* kind : {shapes, parameters, arithmetic, steps, best_epoch, mistakes, zeroed, grouping}) {
    kinds.push_back(kind(run, random));
    shuffle(kinds.back(), random);
  }
  shuffle(kinds, random);
  std::vector<Question> out;
  for (size_t round = 0; out.size() < count; ++round) {
    size_t before = out.size();
    for (const Questions& kind : kinds) {
      if (round < kind.size() && out.size() < count) out.push_back(kind[round]);
    }
    if (out.size() == before) break;
  }
  return out;
}

}  // namespace espalier::view
