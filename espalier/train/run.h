#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <espalier/core/shape.h>
#include <espalier/trace/history.h>

// A run's folder:
//   settings.toml        what was asked for, defaults included: enough to run it again
//   environment.json     version, processor, threads, data set
//   metrics.jsonl        a line per epoch
//   weights.safetensors  the last weights
namespace espalier::train {

struct Settings {
  std::string model = {};
  std::string data = {};
  int64_t epochs = 5;
  int64_t batch_size = 64;
  uint64_t seed = 0;
  std::string optimizer = {};
  double lr = 1e-3;
  std::vector<int64_t> image;        // shape of one image as the data set holds it: [1, 28, 28]
  std::vector<std::string> classes;  // by label
};

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
