#pragma once

#include <string>

#include <espalier/trace/history.h>

namespace espalier::view {

// The head of the training trace, and one line an epoch: loss and accuracy on training and validation data,
// seconds, and an observation in words.
std::string training_head();
std::string training_line(const trace::History& history, size_t at, int64_t epochs, int64_t classes);

// What the figures of epoch `at` say, by these rules, the first that holds:
//   the loss is not finite                       -> the training has diverged
//   first epoch                                  -> how the loss compares with guessing, ln(classes)
//   validation loss rose n > 1 epochs in a row   -> overfitting
//   validation loss rose while training loss fell-> a first sign of overfitting
//   training loss rose                           -> it rose by so much
//   it fell by 45 % / 29 % / 20 % or more        -> by about half / a third / a quarter; still learning fast
//   by 5 % or more                               -> still learning
//   by 1 % or more                               -> slowing down
//   else                                         -> a plateau
std::string observation(const trace::History& history, size_t at, int64_t classes);

// What the figures say on the whole, in a sentence or two, the first that holds:
//   the last loss is not finite                            -> the training has diverged, since epoch n
//   the lowest validation loss is 2 % below the last one   -> overfitting since epoch n, where it was lowest
//   the last epochs (a quarter, two at least) each changed the loss that counts (of the validation, else of
//   the training) by less than 1 %                         -> a plateau since epoch n
//   else                                                   -> still learning
std::string verdict(const trace::History& history);

// Training loss (and validation loss, where there is one) by epoch as bars.
std::string loss_chart(const trace::History& history);

// Classes with their probabilities as bars, the likeliest first, at most `most` of them.
std::string probability_chart(const std::vector<double>& probabilities,
                              const std::vector<std::string>& classes, size_t most = 10);

}  // namespace espalier::view
