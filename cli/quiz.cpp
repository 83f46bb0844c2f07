#include <unistd.h>

#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include <espalier/core/error.h>
#include <espalier/core/text.h>
#include <espalier/train/run_data.h>
#include <espalier/view/insight.h>
#include <espalier/view/quiz.h>

#include "verbs.h"

namespace espalier::cli {
namespace {

struct Options {
  std::string run;
  size_t questions = 3;
  uint64_t seed = 0;
  bool answers = false;
};

char letter(size_t choice) { return static_cast<char>('a' + choice); }

void print(const view::Question& q, size_t number) {
  std::cout << "\n" << number << ". " << q.text << "\n";
  for (size_t c = 0; c < q.choices.size(); ++c)
    std::cout << "   " << letter(c) << ") " << q.choices[c] << "\n";
}

void print_answer(const view::Question& q) {
  std::cout << letter(q.right) << ") " << q.choices[q.right] << ". " << q.explanation << "\n";
}

// The number of a choice; none at the end of the input.
std::optional<size_t> ask(const view::Question& q) {
  for (std::string line;
       std::cout << "   Your answer (a to d): " << std::flush, std::getline(std::cin, line);) {
    size_t choice = line.size() == 1 ? static_cast<size_t>((line[0] | 0x20) - 'a') : q.choices.size();
    if (choice < q.choices.size()) return choice;
  }
  std::cout << "\n";
  return std::nullopt;
}

void play(const std::vector<view::Question>& questions) {
  size_t right = 0;
  for (size_t i = 0; i < questions.size(); ++i) {
    print(questions[i], i + 1);
    auto choice = ask(questions[i]);
    if (!choice) return;
    right += *choice == questions[i].right;
    std::cout << (*choice == questions[i].right ? "   Right: " : "   Not so. Right is ");
    print_answer(questions[i]);
  }
  std::cout << "\n" << right << " of " << questions.size() << " right.\n";
}

void show(const std::vector<view::Question>& questions, bool answers) {
  for (size_t i = 0; i < questions.size(); ++i) {
    print(questions[i], i + 1);
    if (answers) std::cout << "   Right is ", print_answer(questions[i]);
  }
}

void run(const Options& o) {
  view::RunData data = train::run_data(train::Run::open(o.run));
  auto questions = view::quiz(data, o.questions, o.seed);
  require<ValueError>(!questions.empty(), o.run, ": the run has nothing to ask about yet");
  std::cout << "A quiz about " << printable(data.name) << "\n";
  if (questions.size() < o.questions) std::cout << "There are " << questions.size() << " questions to ask.\n";
  bool terminal = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
  if (terminal && !o.answers) play(questions);
  else show(questions, o.answers);
  if (std::string insight = view::key_insight(data); !insight.empty() && (terminal || o.answers))
    std::cout << "\nKey insight: " << insight << "\n";
}

}  // namespace

Work quiz(CLI::App& command, const Common&) {
  auto o = std::make_shared<Options>();
  command.add_option("run", o->run, "Folder of a run that `espalier train` made")->required();
  command.add_option("--questions", o->questions, "How many")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000));
  command.add_option("--seed", o->seed, "The same seed gives the same questions")->capture_default_str();
  command.add_flag("--answers", o->answers, "Print the questions with their answers instead of asking");
  return [o] { run(*o); };
}

}  // namespace espalier::cli
