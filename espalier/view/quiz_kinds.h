#pragma once

#include <espalier/core/random.h>
#include <espalier/view/quiz.h>

// The kinds of questions: each gives all that a run has material for.
namespace espalier::view::quiz_kinds {

using Questions = std::vector<Question>;
using Kind = Questions(const RunData& run, Generator& random);

Kind shapes;      // that leave a stage
Kind parameters;  // of a module, and where most of them are
Kind arithmetic;  // the stage that does most of it
Kind steps;       // in an epoch
Kind best_epoch;
Kind mistakes;
Kind zeroed;    // by a ReLU
Kind grouping;  // of layers in modules

// A question with the right answer and the first three of `wrong` that differ from it and from each other, in
// an order drawn from `random`; added to `out` where there are three.
void add(Questions& out, Generator& random, std::string text, const std::string& right,
         const std::vector<std::string>& wrong, std::string explanation);

}  // namespace espalier::view::quiz_kinds
