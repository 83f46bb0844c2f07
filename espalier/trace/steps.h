#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace espalier::trace {

// What one optimizer step did to the parameters of one module. Norms are over all of them, as one vector.
struct LayerStep {
  std::string name;      // the module's path
  int64_t elements = 0;  // of its parameters
  double gradient = 0;   // norm
  double weight = 0;     // norm before the step
  double update = 0;     // norm of the change
};

// Units that put out nothing but zeros for a whole batch: channels of [N, C, …], features of [N, F].
struct UnitsStep {
  std::string name;  // the stage: "relu", "blocks.0.relu"
  int64_t units = 0, dead = 0;
};

// A moment of a training. Layers and units are empty in most of them: they are looked at now and then.
struct Step {
  int64_t step = 0, epoch = 0;    // from 1
  double loss = 0, accuracy = 0;  // means since the moment before
  double lr = 0;
  double seconds = 0;  // since the training began
  std::vector<LayerStep> layers = {};
  std::vector<UnitsStep> units = {};
};

using Steps = std::vector<Step>;

// One line of steps.jsonl, without its end, and back (throws FileError for a line that is not one).
std::string to_json(const Step& step);
Step step_from_json(const std::string& line, const std::string& where);

// The moments in a file that may still be written: a last line without an end is left out.
Steps read_steps(const std::string& path);
// Adds those from byte `from` on, and gives the byte at which the next will begin.
size_t read_steps(const std::string& path, size_t from, Steps& to);

// How the gradients of one module stand at the end of a training.
struct GradientState {
  enum Kind { sound, vanishing, exploding, not_finite };
  std::string name;
  Kind kind = sound;
  double size = 0;   // of a gradient's element (root of the mean square), median over the last quarter
  double ratio = 0;  // to the largest of all modules; of an exploding one, to its own median before
};

// By module, in order. A module's gradients vanish when their elements are a thousandth or less of the
// largest module's; they explode when the last quarter's median is a hundred times that of the first, or
// more.
std::vector<GradientState> gradient_states(const Steps& steps);

}  // namespace espalier::trace
