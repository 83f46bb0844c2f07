#include <espalier/view/insight.h>
#include <espalier/view/quiz.h>
#include <espalier/view/report/views.h>

namespace espalier::view {
namespace {

Html choice(size_t question, size_t number, const std::string& text) {
  std::string id = concat("quiz-", question, "-", number);
  return tag(
      "div", {{"class", "choice"}},
      void_tag("input",
               {{"type", "radio"}, {"name", concat("quiz-", question)}, {"id", id}, {"value", number}}),
      tag("label", {{"for", id}}, text));
}

Html question(const Question& q, size_t number) {
  Html body = tag("legend", {}, concat(number + 1, ". ", q.text));
  for (size_t c = 0; c < q.choices.size(); ++c) body += choice(number, c, q.choices[c]);
  body += tag("p", {{"class", "verdict"}, {"role", "status"}}, "");
  body += tag("details", {}, tag("summary", {}, "Answer"),
              tag("p", {}, tag("strong", {}, q.choices[q.right]), ". ", q.explanation));
  return tag("fieldset", {{"class", "question"}, {"data-right", q.right}}, body);
}

}  // namespace

Html quiz_view(const RunData& run) {
  auto questions = quiz(run, 3, run.settings.seed);
  Html out;
  if (std::string insight = key_insight(run); !insight.empty()) {
    out += tag("h3", {}, "The key insight");
    out += tag("p", {{"class", "finding"}, {"id", "key-insight"}}, insight);
  }
  if (questions.empty()) {
    out += nothing_kept("This run has nothing to ask about yet.");
    return out;
  }
  out += tag("h3", {}, "Did you see it?");
  for (size_t i = 0; i < questions.size(); ++i) out += question(questions[i], i);
  out += tag("p", {{"id", "quiz-score"}, {"role", "status"}, {"class", "screen"}}, "");
  return out;
}

}  // namespace espalier::view
