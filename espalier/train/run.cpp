#include <espalier/train/run.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include <toml++/toml.h>
#include <nlohmann/json.hpp>

#include <espalier/core/error.h>
#include <espalier/core/threads.h>
#include <espalier/core/version.h>
#include <espalier/io/file.h>
#include <espalier/trace/record_file.h>
#include <espalier/trace/structure_file.h>
#include <espalier/train/machine.h>

namespace espalier::train {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kFiles[] = {"settings.toml",        "environment.json",    "structure.json",
                                  "record.json",          "metrics.jsonl",       "steps.jsonl",
                                  "initial.safetensors",  "weights.safetensors", "predictions.safetensors",
                                  "pictures.safetensors", "samples.json",        "samples.safetensors"};

std::string to_toml(const Settings& s) {
  toml::array image, classes;
  for (int64_t d : s.image) image.push_back(d);
  for (const auto& c : s.classes) classes.push_back(c);
  toml::table table{{"model", s.model},
                    {"data", s.data},
                    {"epochs", s.epochs},
                    {"batch_size", s.batch_size},
                    {"seed", static_cast<int64_t>(s.seed)},
                    {"optimizer", s.optimizer},
                    {"lr", s.lr},
                    {"image", image},
                    {"classes", classes}};
  std::ostringstream out;
  out << table << "\n";
  return out.str();
}

template <class T>
T value(const toml::table& table, const char* key, const std::string& path) {
  auto found = table[key].value<T>();
  require<FileError>(found.has_value(), path, ": the setting `", key, "` is missing or of the wrong kind");
  return *found;
}

template <class T>
std::vector<T> list(const toml::table& table, const char* key, const std::string& path) {
  const toml::array* found = table[key].as_array();
  require<FileError>(found != nullptr, path, ": the setting `", key, "` is missing or is not a list");
  std::vector<T> out;
  for (const auto& item : *found) {
    auto v = item.value<T>();
    require<FileError>(v.has_value(), path, ": an entry of `", key, "` is of the wrong kind");
    out.push_back(*v);
  }
  return out;
}

Settings settings_from(const toml::table& t, const std::string& path) {
  return {.model = value<std::string>(t, "model", path),
          .data = value<std::string>(t, "data", path),
          .epochs = value<int64_t>(t, "epochs", path),
          .batch_size = value<int64_t>(t, "batch_size", path),
          .seed = static_cast<uint64_t>(value<int64_t>(t, "seed", path)),
          .optimizer = value<std::string>(t, "optimizer", path),
          .lr = value<double>(t, "lr", path),
          .image = list<int64_t>(t, "image", path),
          .classes = list<std::string>(t, "classes", path)};
}

Settings read_settings(const std::string& path) {
  std::string text = io::read_file(path);
  try {
    return settings_from(toml::parse(text), path);
  } catch (const toml::parse_error& e) {
    throw FileError(concat(path, ", line ", static_cast<int64_t>(e.source().begin.line),
                           ": not valid TOML: ", e.description()));
  }
}

// "model name" of the processor, as the system tells it; empty where it doesn't.
std::string processor() {
  std::ifstream in("/proc/cpuinfo");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("model name")) return line.substr(line.find(':') + 2);
  }
  return "";
}

std::string compiler() {
#ifdef __clang__
  return __VERSION__;  // with its name
#else
  return concat("GCC ", __VERSION__);
#endif
}

std::string environment(const Settings& s, const std::string& data) {
  trace::Machine machine = measure_machine();
  Json json = {{"espalier", std::string(version())},
               {"processor", processor()},
               {"threads", get_num_threads()},
               {"compiler", compiler()},
               {"product_gflops", machine.flops / 1e9},
               {"copy_gb_per_second", machine.bytes / 1e9},
               {"seed", s.seed},
               {"data", data}};
  return json.dump(2) + "\n";
}

}  // namespace

void Run::refuse_existing(const std::string& path) {
  std::error_code error;
  require<FileError>(!fs::exists(path, error), path,
                     ": there is a run already; choose another name with --out, or take it away first");
}

Run Run::create(const std::string& path, const Settings& settings, const std::string& data) {
  refuse_existing(path);
  std::string around = environment(settings, data);  // takes a while, so it comes before there is anything
  std::error_code error;
  fs::create_directories(fs::path(path).parent_path(), error);
  Run run(io::temporary_beside(path), settings);
  bool made = fs::create_directory(run.path_, error);
  require<FileError>(made, path, ": can't make the folder: ", error ? error.message() : "it exists");
  try {
    io::write_file(run.file("settings.toml"), to_toml(settings));
    io::write_file(run.file("environment.json"), around);
    fs::rename(run.path_, path, error);
    require<FileError>(!error, path, ": can't make the folder: ", error.message());
  } catch (...) {
    run.discard();
    throw;
  }
  run.path_ = path;
  return run;
}

Run Run::open(const std::string& path) {
  std::error_code error;
  require<FileError>(fs::is_directory(path, error), path,
                     ": there is no run (a folder that `espalier train` made)");
  Run run(path, {});
  run.settings_ = read_settings(run.file("settings.toml"));
  return run;
}

std::string Run::free_path(const std::string& base) {
  std::string path = base;
  for (int n = 2; fs::exists(path); ++n) path = concat(base, "-", n);
  return path;
}

void Run::append(const trace::Epoch& epoch) { io::append_line(file("metrics.jsonl"), to_json(epoch)); }

trace::History Run::history() const {
  trace::History out;
  std::istringstream lines(io::read_lines(file("metrics.jsonl")));
  std::string line;
  for (int n = 1; std::getline(lines, line); ++n) {
    out.push_back(epoch_from_json(line, concat(file("metrics.jsonl"), ", line ", n)));
  }
  return out;
}

void Run::keep(const trace::Structure& structure) {
  trace::write_structure(file("structure.json"), structure);
}
void Run::keep(const trace::Record& record) { trace::write_record(file("record.json"), record); }

std::optional<trace::Structure> Run::structure() const {
  std::string path = file("structure.json");
  if (!fs::exists(path)) return std::nullopt;
  return trace::read_structure(path);
}

std::optional<trace::Record> Run::record() const {
  std::string path = file("record.json");
  if (!fs::exists(path)) return std::nullopt;
  return trace::read_record(path);
}

void Run::discard() {
  std::error_code ignored;
  for (const char* name : kFiles) fs::remove(file(name), ignored);
  fs::remove(path_, ignored);
}

}  // namespace espalier::train
