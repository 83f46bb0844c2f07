#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <espalier/core/shape.h>
#include <espalier/trace/history.h>
#include <espalier/trace/record.h>
#include <espalier/trace/settings.h>
#include <espalier/trace/structure.h>

// A run's folder:
//   settings.toml        what was asked for, defaults included: enough to run it again
//   environment.json     version, processor, threads, data set
//   structure.json       the model's modules and parameters
//   record.json          the calls and tensors of a step of the training, with times
//   metrics.jsonl        a line per epoch
//   steps.jsonl          a line now and then: loss since the one before; in some, gradients and dead units
//   initial.safetensors  the weights before the training
//   weights.safetensors  the last weights
//   predictions.safetensors  what the model says of each image of the validation data
//   pictures.safetensors     some of these images
//   samples.json, samples.safetensors  how a few of them go through the model, with all values
namespace espalier::train {

using trace::Settings;

class Run {
 public:
  // Makes the folder, with `data` in words in its environment; one that exists is refused (FileError), so
  // that no run is ever overwritten.
  static Run create(const std::string& path, const Settings& settings, const std::string& data);
  static void refuse_existing(const std::string& path);
  // Opens a finished run. Throws FileError that names what is missing or damaged.
  static Run open(const std::string& path);
  // The first of base, base-2, base-3, … that does not exist.
  static std::string free_path(const std::string& base);

  const std::string& path() const { return path_; }
  const Settings& settings() const { return settings_; }
  std::string file(const std::string& name) const { return path_ + "/" + name; }

  void append(const trace::Epoch& epoch);
  trace::History history() const;
  void keep(const trace::Structure& structure);
  void keep(const trace::Record& record);
  // What a run did not keep is absent.
  std::optional<trace::Structure> structure() const;
  std::optional<trace::Record> record() const;
  // Takes the folder away again, as far as this object made it: for a run that failed before its first epoch.
  void discard();

 private:
  Run(std::string path, Settings settings) : path_(std::move(path)), settings_(std::move(settings)) {}

  std::string path_;
  Settings settings_;
};

// One line of metrics.jsonl, without its end, and back (throws FileError for a line that is not one).
std::string to_json(const trace::Epoch& epoch);
trace::Epoch epoch_from_json(const std::string& line, const std::string& where);

}  // namespace espalier::train
