#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <espalier/trace/history.h>
#include <espalier/trace/machine.h>
#include <espalier/trace/predictions.h>
#include <espalier/trace/record.h>
#include <espalier/trace/settings.h>
#include <espalier/trace/steps.h>
#include <espalier/trace/structure.h>

namespace espalier::view {

// A parameter's values in a few numbers, at the beginning and at the end of the training.
struct ParameterStory {
  std::string name;
  Shape shape;
  trace::Stats now;
  std::optional<trace::Stats> initial = {};
  std::optional<double> change = {};  // |now - initial| / |initial|, lengths of the vectors of all values
};

// All that a page tells of a run. What a run did not keep is empty; the views say so.
struct RunData {
  std::string name;  // "seed-cnn"
  trace::Settings settings;
  std::vector<std::pair<std::string, std::string>> environment;  // as words
  trace::Machine machine;
  trace::Structure structure;
  trace::Record record;    // of a step of the training: forward, loss and the times of the backward
  trace::History history;  // an entry an epoch
  trace::Steps steps;      // and now and then between
  std::optional<trace::Predictions> predictions;  // for the validation data
  trace::Pictures pictures;                       // some of it
  trace::Record samples;                          // how pictures.traced go through the model, with values
  std::vector<ParameterStory> parameters;
  // The filters of the first convolution over images, [filters, channels, height, width].
  std::optional<Array> kernels, initial_kernels;
};

}  // namespace espalier::view
